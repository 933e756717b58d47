/** Where randomness comes from; tests give a seeded one. */
export interface Random {
  /** `count` bytes that nobody can guess. */
  bytes(count: number): Uint8Array
  /** A number in [0, 1), for jitter. */
  fraction(): number
}
