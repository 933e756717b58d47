import { HOUR, type Instant, MINUTE } from '../base/clock.ts'
import type { Random } from '../base/random.ts'

/** The waits between attempts: about 32 hours from the first to the twelfth and last. */
const DELAYS_MS = [
  1 * MINUTE,
  2 * MINUTE,
  4 * MINUTE,
  7.5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  1 * HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  16 * HOUR,
]

/** When to call again after attempt `counted`, begun at `startedAt`, failed (±1 % jitter); undefined gives up. */
export function nextCallAt(counted: number, startedAt: Instant, random: Random): Instant | undefined {
  const delayMs = DELAYS_MS[counted - 1]
  if (delayMs === undefined) return undefined
  return startedAt + Math.round(delayMs * (0.99 + random.fraction() * 0.02))
}
