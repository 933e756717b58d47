import { type Instant, SECOND } from '../base/clock.ts'
import type { Random } from '../base/random.ts'

/** Attempts in earnest before a temporary failure becomes final. */
export const MAX_ATTEMPTS = 8

const BASE_DELAY_MS = 450 * SECOND
const JITTER_S = 10

/** The failed attempt after which the sender is told that the message is late. */
export const DELAY_NOTICE_AFTER = 5

/** When the attempts after attempt `counted` are to be expected, if all fail: the next one at `nextAt`, without jitter. */
export function expectedAttempts(counted: number, nextAt: Instant): readonly Instant[] {
  const expected = [nextAt]
  for (let attempt = counted + 1; attempt < MAX_ATTEMPTS; attempt++) {
    expected.push((expected.at(-1) ?? nextAt) + BASE_DELAY_MS * 2 ** (attempt - 1))
  }
  return expected
}

/**
 * When to try again after attempt `counted` that began at `startedAt` failed: 7.5 minutes, doubling, which ends
 * 15 h 52 m after the first. A few seconds of jitter keep messages of one moment from returning in one moment.
 */
export function nextAttemptAt(counted: number, startedAt: Instant, random: Random): Instant {
  const jitterMs = (Math.floor(random.fraction() * JITTER_S) - JITTER_S / 2) * SECOND
  return startedAt + (BASE_DELAY_MS + jitterMs) * 2 ** (counted - 1)
}
