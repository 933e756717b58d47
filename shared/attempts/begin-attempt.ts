import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { AttemptResult, AttemptRow } from './attempt-row.ts'
import type { AttemptStore } from './attempt-store.ts'

/**
 * Claims the next attempt of a row for `leaseMs`, and `unknownMs` more where the remote may still tell what the
 * worker could not, or says undefined when somebody else has it or it is not due.
 */
export async function beginAttempt<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  ports: { readonly store: AttemptStore<Row, Result>; readonly clock: Clock; readonly random: Random },
  row: Row,
  leaseMs: number,
  running: (
    attempt: Pick<AttemptResult, 'attempt' | 'startedAt' | 'durationMs' | 'code' | 'error'>,
  ) => Result,
  unknownMs = 0,
): Promise<Row | undefined> {
  const startedAt = ports.clock.now()
  const attempt = row.attempts + 1
  const workerEndsAt = startedAt + leaseMs
  return await ports.store.claim(row, {
    attempt,
    lease: {
      owner: Buffer.from(ports.random.bytes(12)).toString('base64url'),
      endsAt: workerEndsAt + unknownMs,
      ...(unknownMs > 0 && { workerEndsAt }),
    },
    running: running({ attempt, startedAt, durationMs: 0, code: 0, error: '' }),
  })
}
