import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'

/** An address that an account must not send to. */
export interface Suppression {
  readonly id: RowId
  readonly account: string
  readonly createdAt: Instant
  /** See {@link baseAddress}; one entry per account and base address. */
  readonly baseAddress: string
  /** As it was when it was added, with a Unicode domain. */
  readonly originalAddress: string
  /** A person added it, or an application; otherwise a delivery's failure did. */
  readonly manual: boolean
  readonly reason: string
}

/** How a recipient of an account stands before an attempt. */
export interface Standing {
  readonly suppression?: Suppression
  /** Messages to this very address that failed for good since the last that was delivered. */
  readonly failuresInARow: number
  /** The last that was delivered, and how many had failed before it: it may still come back. */
  readonly lastDelivered?: { readonly id: RowId; readonly failuresBefore: number }
}
