import type { Options } from '../account/options.ts'
import { isClaimable } from '../attempts/attempt-row.ts'
import type { Hint } from '../attempts/hint-channel.ts'
import { holdInterrupted, isInterruptedTooOften } from '../attempts/interrupted.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { lookUp } from '../base/look-up.ts'
import { rowIdPlus } from '../base/row-id.ts'
import type { ContentStore } from '../content/content-store.ts'
import { holdMessage } from './act.ts'
import { holdByRules } from './hold-rules.ts'
import type { QueueStore } from './queue-store.ts'
import type { QueuedMessage } from './queued-message.ts'

interface GatherPorts {
  readonly queue: QueueStore
  readonly content: Pick<ContentStore, 'keep'>
  readonly clock: Clock
  readonly log: Log
}

/** RFC 5321 §4.5.3.1.8: no server may refuse fewer recipients in one transaction. */
const MOST_IN_TRANSACTION = 100

/**
 * The rows of an attempt: the hinted one, if that attempt is due, and with it those that can share its transaction.
 * What must not be attempted is put on hold.
 */
export async function gatherDue(
  ports: GatherPorts,
  options: Options,
  hint: Hint,
  hinted: QueuedMessage | undefined,
): Promise<readonly QueuedMessage[]> {
  return await withoutHeld(ports, options, await findDue(ports, hint, hinted))
}

/** The hinted row, if that attempt is due, and its siblings at the same attempt. */
async function findDue(
  { queue, clock }: GatherPorts,
  hint: Hint,
  hinted: QueuedMessage | undefined,
): Promise<readonly QueuedMessage[]> {
  if (!hinted || !isClaimable(hinted, hint.attempt, clock.now())) return []
  if (hinted.recipients === 1) return [hinted]

  const decision = await queue.decision(hinted.base)
  if (decision?.kind !== 'committed') return []
  if (hinted.fromId !== '') return [hinted]
  const places = lookUp(decision.domains, hinted.recipient.domain) ?? []
  const ids = places.map((place) => rowIdPlus(hinted.base, place)).filter((id) => id !== hinted.id)
  const siblings = await Promise.all(ids.map((id) => queue.read(hint.account, id)))
  const together = siblings
    .filter((row) => row !== undefined)
    .filter((row) => isClaimable(row, hint.attempt, clock.now()) && goesWith(hinted, row))
  return [hinted, ...together].slice(0, MOST_IN_TRANSACTION)
}

/** An operator may have chosen another way for one of them. */
function goesWith(one: QueuedMessage, other: QueuedMessage): boolean {
  return one.transport === other.transport && one.requireTls === other.requireTls
}

/**
 * Puts on hold, and leaves out, what a rule holds that is newer than the message, and what keeps killing its workers.
 */
async function withoutHeld(
  ports: GatherPorts,
  options: Options,
  rows: readonly QueuedMessage[],
): Promise<readonly QueuedMessage[]> {
  const now = ports.clock.now()
  const free: QueuedMessage[] = []
  for (const row of rows) {
    const hold = isInterruptedTooOften(row, now)
      ? holdInterrupted(ports.log, 'message', row, now)
      : holdByRules(options, row, now)
    if (hold) await holdMessage(ports, row, hold)
    else free.push(row)
  }
  return free
}
