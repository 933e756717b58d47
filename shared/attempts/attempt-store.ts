import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { AttemptResult, AttemptRow, Hold, Lease, Retired } from './attempt-row.ts'

/** A wish to begin attempt `attempt` of a row. */
export interface Claim<Result extends AttemptResult> {
  readonly attempt: number
  readonly lease: Lease
  /** The result with status `running` that everybody sees until the outcome. */
  readonly running: Result
}

/** What becomes of a claimed row. */
export type Settlement<Result extends AttemptResult> =
  | { readonly kind: 'retry'; readonly result: Result; readonly nextAt: Instant }
  /** The remote has it, and tells later; `nextAt` is when nothing more is to be expected. */
  | { readonly kind: 'hand'; readonly result: Result; readonly nextAt: Instant }
  | { readonly kind: 'retire'; readonly result: Result; readonly retired: Retired }

/** What is changed of an unfinished row, besides attempts; what is absent stays. */
export interface RowEdit {
  readonly hold?: Hold
  /** Ends a hold, at this time. */
  readonly releasedAt?: Instant
  readonly nextAt?: Instant
}

/**
 * Port: rows of one kind. Every write is conditional on what it replaces.
 * Rows that a Send has not committed are read like others; see `queue/queue-store.ts`.
 */
export interface AttemptStore<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit = RowEdit,
> {
  /** The row as last written. */
  read(account: string, id: RowId): Promise<Row | undefined>
  /**
   * Begins an attempt: the row as claimed, or undefined when it may not be claimed (now, by this attempt number).
   * A result still `running` from an earlier claim is marked interrupted by the same write.
   */
  claim(row: Row, claim: Claim<Result>): Promise<Row | undefined>
  /** Rows that somebody must look at, longest overdue first. Finished rows are never among them. */
  due(account: string, now: Instant, limit: number): Promise<readonly Row[]>
  /**
   * Changes a row that is as it was read; undefined when it is not. A change by the operation `by` is made once:
   * repeated, it answers the row as it is.
   */
  edit(row: Row, edit: Edit, by?: RowId): Promise<Row | undefined>
  /**
   * Moves the time at which somebody must look, which has come; false when the row was claimed or settled meanwhile, or
   * that time was moved already.
   */
  lookAgain(row: Row, at: Instant): Promise<boolean>
  /** Puts a row on hold to the others, where nobody must look; nothing happens if it was released, or owes something. */
  setAside(row: Row): Promise<void>
}
