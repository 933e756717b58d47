import type { Options, TransportSettings } from '../account/options.ts'
import { attemptsBefore } from '../attempts/attempt-row.ts'
import type { DelayedHint, Lane } from '../attempts/hint-channel.ts'
import { chooseTransport, type Mistake } from './choose-transport.ts'
import { attemptHint, nextAttemptHints, type QueuedMessage } from './queued-message.ts'

/**
 * Which worker a transport needs: functions speak to relays and SES, while a process that stays speaks to the servers
 * of recipients, whose sessions may last for many minutes and are worth keeping.
 */
export function laneOf(transport: TransportSettings | Mistake): Lane {
  return transport.kind === 'direct' || transport.kind === 'socks' ? 'direct' : 'function'
}

/** A hint to attempt a message now, in its lane. */
export function hintInLane(options: Options, row: QueuedMessage): DelayedHint {
  return { ...attemptHint(row), lane: laneOfMessage(options, row) }
}

/** The same for when its next attempt is due, if that is within the longest delay of a hint. */
export function nextHintsInLane(options: Options, row: QueuedMessage, now: number): readonly DelayedHint[] {
  return nextAttemptHints(row, now).map((hint) => ({ ...hint, lane: laneOfMessage(options, row) }))
}

/** The lane of what a message goes by now. */
export function laneOfMessage(options: Options, row: QueuedMessage): Lane {
  return laneOf(chooseTransport(options, row, attemptsBefore(row)))
}
