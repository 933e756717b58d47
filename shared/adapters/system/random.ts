import { randomBytes } from 'node:crypto'
import type { Random } from '../../base/random.ts'

/** The machine's randomness: bytes nobody can guess, fractions good enough for jitter. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
}
