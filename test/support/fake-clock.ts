import type { Clock, Instant } from '../../shared/base/clock.ts'

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  advance(milliseconds: number): void
}

/** 2026-06-01T00:00:00Z, unless another instant is given. */
export function fakeClock(at: Instant = Date.UTC(2026, 5, 1)): FakeClock {
  let now = at
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds
    },
  }
}
