import { type AttemptResult, type AttemptRow, isUnknown } from '../attempts/attempt-row.ts'
import type { Instant } from '../base/clock.ts'

/** What mox writes where the attempt is not over. */
const RUNNING = 'delivering...'
const UNKNOWN = 'interrupted; SES may have it, and would tell'

/**
 * What went wrong at an attempt; empty where nothing did. A worker that vanished is not delivering, although nobody
 * has written that down yet.
 */
export function attemptError(row: AttemptRow, { status, error }: AttemptResult, now: Instant): string {
  if (status === 'running' && isUnknown(row, now)) return UNKNOWN
  if (status === 'running' && row.lease && row.lease.endsAt >= now) return RUNNING
  return status === 'running' || status === 'interrupted' ? error || 'interrupted' : error
}
