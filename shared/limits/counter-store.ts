import type { Instant } from '../base/clock.ts'

/** Names a counter. */
export interface CounterName {
  /** What is counted. */
  readonly subject: string
  /** The beginning of the period in which it is counted. */
  readonly since: Instant
}

/** Port: counters of periods, which vanish some time after their period. */
export interface CounterStore {
  /** The counts as last written, in the order of the names, of which each is named once; 0 where nothing was counted. */
  read(names: readonly CounterName[]): Promise<readonly number[]>
  /** The counts of all periods of a subject that began at `since` or later, added up. */
  sum(subject: string, since: Instant): Promise<number>
  /** Adds to a counter, or takes away; it stays until `expiresAt` at least. */
  add(name: CounterName, amount: number, expiresAt: Instant): Promise<void>
  /** Sets a counter to 0; false when it no longer has that count. */
  reset(name: CounterName, count: number): Promise<boolean>
}
