import type { Instant } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { type AttemptRow, type Hold, isUnclaimed } from './attempt-row.ts'

const MOST_INTERRUPTED = 5

/**
 * Says whether the last five attempts were all interrupted: something about this row kills its workers, and
 * interrupted attempts do not count, so it would go on for ever. A release from a hold begins anew.
 */
export function isInterruptedTooOften(row: AttemptRow, now: Instant): boolean {
  if (!isUnclaimed(row, now)) return false
  const last = row.results.slice(-MOST_INTERRUPTED)
  return (
    last.length === MOST_INTERRUPTED &&
    last.every(
      ({ status, startedAt }) =>
        (status === 'interrupted' || status === 'running') && startedAt > (row.releasedAt ?? 0),
    )
  )
}

/** The hold of such a row; the log line is what an alarm watches for. `what` is what people call such rows. */
export function holdInterrupted(log: Log, what: string, { account, id }: AttemptRow, now: Instant): Hold {
  const reason = 'five attempts in a row were interrupted'
  log.error(`${what} put on hold`, new Error(reason), { account, id })
  return { reason, since: now }
}
