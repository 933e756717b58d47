import type { Options } from '../account/options.ts'
import type { Lane } from '../attempts/hint-channel.ts'
import { MOST_HINTS, type Spread, type SweptKind } from '../attempts/sweep.ts'
import { type Instant, MINUTE } from '../base/clock.ts'
import { type LaneChannels, laneHintChannel } from './lane-hint-channel.ts'
import { hintInLane, laneOfMessage } from './lanes.ts'
import type { QueueStore } from './queue-store.ts'
import type { DeliveryResult, QueuedMessage } from './queued-message.ts'

interface SweepingPorts {
  readonly queue: QueueStore
  readonly lanes: LaneChannels
}

/** Messages as the sweep deals with them, each hinted in its lane. */
export async function sweptMessages(
  { queue, lanes }: SweepingPorts,
  options: Options,
): Promise<SweptKind<QueuedMessage, DeliveryResult>> {
  const spread =
    lanes.direct && spreadByLane(options, await roomOf(lanes.function), await roomOf(lanes.direct))
  return {
    store: queue,
    channel: laneHintChannel(lanes),
    hint: (row) => hintInLane(options, row),
    ...(spread && { spread }),
  }
}

async function roomOf(channel: LaneChannels['function']): Promise<number> {
  return MOST_HINTS - (await channel.depth())
}

/**
 * Hints as many messages of each lane as its queue has room for, over all accounts of a run. The others are looked at
 * again a minute later: they leave their place to those of the other lane.
 */
function spreadByLane(
  options: Options,
  functionRoom: number,
  directRoom: number,
): (due: readonly QueuedMessage[], now: Instant) => Spread<QueuedMessage> {
  const room: Record<Lane, number> = { function: functionRoom, direct: directRoom }
  return (due, now) => {
    const hinted = due.filter((row) => {
      const lane = laneOfMessage(options, row)
      room[lane] -= 1
      return room[lane] >= 0
    })
    const isHinted = new Set(hinted)
    const others = due.filter((row) => !isHinted.has(row))
    return { now: hinted, later: others.map((row) => ({ row, at: now + MINUTE })) }
  }
}
