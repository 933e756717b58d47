import type { AttemptResult, AttemptRow } from '../../shared/attempts/attempt-row.ts'
import type { Duplicate } from './reconcile.ts'
import type { Crash } from './run-record.ts'

/** Whether crashes account for all copies but one, and how. */
export interface Verdict {
  readonly isExcused: boolean
  readonly reason: string
}

/**
 * A copy is excused when its attempt was in flight at a crash: nobody could know that it had succeeded. RFC 5321
 * §4.5.4.1 and the webhooks both prefer two to none. One copy needs no excuse, and no attempt makes two.
 */
export function excuse(
  { kind, copies }: Duplicate,
  row: AttemptRow | undefined,
  crashes: readonly Crash[],
  leaseMs: number,
): Verdict {
  if (!row) return { isExcused: false, reason: 'no single row is behind them' }
  const attempts = copies.map((copy) =>
    kind === 'hook' && 'attempt' in copy ? copy.attempt : attemptAt(row.results, copy.receivedAt),
  )
  const crashed = new Map(
    row.results.map((result) => [result.attempt, crashOf(result, crashes, leaseMs)] as const),
  )
  const excused = attempts.filter((attempt) => crashed.get(attempt) !== undefined)
  const isExcused = new Set(attempts).size === attempts.length && excused.length >= attempts.length - 1
  const reason = attempts
    .map((attempt) => {
      const crash = crashed.get(attempt)
      return `attempt ${attempt} ${crash === undefined ? 'in no crash' : `in crash ${crash.number}`}`
    })
    .join(', ')
  return { isExcused, reason }
}

/** The crash that ended an attempt: the first after its begin, while its lease ran. */
export function crashOf(
  { status, startedAt }: AttemptResult,
  crashes: readonly Crash[],
  leaseMs: number,
): Crash | undefined {
  // A late result has an end of its own: its worker lived.
  if (status !== 'interrupted' && status !== 'running') return undefined
  const crash = crashes.find(({ goneAt }) => startedAt <= goneAt)
  return crash && crash.killedAt <= startedAt + leaseMs ? crash : undefined
}

/** The attempt that was the last to begin by then. */
function attemptAt(results: readonly AttemptResult[], at: number): number {
  return results.findLast(({ startedAt }) => startedAt <= at)?.attempt ?? 0
}
