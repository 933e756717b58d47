import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { AttemptRow } from './attempt-row.ts'

/** The lists of each account: unfinished rows that may be attempted, those on hold, and finished ones that are kept. */
export type ListName = 'active' | 'held' | 'retired'

/** Names a row among those of all accounts. */
export interface RowName {
  readonly account: string
  readonly id: RowId
}

/** Where a row stands in a list: its time there, then its id, then its account. */
export interface RowPlace extends RowName {
  /** The next attempt, or of finished rows the last activity. */
  readonly at: Instant
}

/** How a list is sorted. */
export interface RowOrder {
  /** `id` is by the time at which rows were queued; it reads the places of all rows of an account first. */
  readonly by: 'time' | 'id'
  readonly ascending: boolean
}

/** Port: the rows of one kind as lists. */
export interface RowLists<Row extends AttemptRow> {
  /**
   * The places of an account's rows in one list, in batches, in that order. `from` leaves out what comes before it
   * (it may be answered itself). Lists may be seconds late: whoever needs truth reads the row.
   */
  places(
    list: ListName,
    account: string,
    order: RowOrder,
    from: RowPlace | undefined,
    batch: number,
  ): AsyncIterableIterator<readonly RowPlace[]>
  /** The rows of these names, in their order, without those that nobody may see: absent, expired, not committed. */
  readMany(names: readonly RowName[]): Promise<readonly Row[]>
}

/** Negative when `one` comes before `other`. */
export function comparePlaces({ by, ascending }: RowOrder, one: RowPlace, other: RowPlace): number {
  const byTime = by === 'time' ? one.at - other.at : 0
  const byAccount = one.account < other.account ? -1 : one.account > other.account ? 1 : 0
  return (byTime || one.id - other.id || byAccount) * (ascending ? 1 : -1)
}
