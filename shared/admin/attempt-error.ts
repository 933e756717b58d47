import type { AttemptResult, AttemptRow } from '../attempts/attempt-row.ts'
import type { Instant } from '../base/clock.ts'

/** What mox writes where the attempt is not over. */
const RUNNING = 'delivering...'

/**
 * What went wrong at an attempt; empty where nothing did. A worker that vanished is not delivering, although nobody
 * has written that down yet.
 */
export function attemptError({ lease }: AttemptRow, { status, error }: AttemptResult, now: Instant): string {
  if (status === 'running' && lease && lease.endsAt >= now) return RUNNING
  return status === 'running' || status === 'interrupted' ? error || 'interrupted' : error
}
