import type { HoldRule } from '../account/options.ts'
import type { RowPlace } from '../attempts/row-lists.ts'
import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { MessageAction } from '../queue/act.ts'
import type { MessageFilter } from '../queue/message-filter.ts'
import type { CallAction } from '../webhook/act.ts'
import type { CallFilter } from '../webhook/call-filter.ts'
import type { ReplayAction } from '../webhook/replay.ts'

/** What is done, and to which rows. Times in it are instants: "an hour ago" was meant when it was said. */
export type Work =
  | {
      readonly queue: 'messages'
      readonly filter: MessageFilter
      /** The hold rule that must match too. */
      readonly rule?: Pick<HoldRule, 'account' | 'sender' | 'recipient'>
      readonly action: MessageAction
    }
  | { readonly queue: 'webhooks'; readonly filter: CallFilter; readonly action: CallAction | ReplayAction }

/**
 * An operator's act on all rows that a filter matches. It goes through the rows of one account after the other, and
 * notes where it is: whoever takes it up goes on from there. Rows that were queued after it began are not meant,
 * nor, of finished ones, those that ended after it began.
 */
export interface Operation {
  readonly id: RowId
  readonly startedAt: Instant
  /** When it last went on, or ended. */
  readonly movedAt: Instant
  readonly work: Work
  /** Only counts. */
  readonly isDryRun: boolean
  /** Those to go through, in this order. */
  readonly accounts: readonly string[]
  readonly state: 'running' | 'done' | 'canceled'
  readonly progress: Progress
}

/** How far an operation is. */
export interface Progress {
  /** Counts the steps. */
  readonly steps: number
  readonly accountsDone: number
  /** The last row looked at of the account that it is in. */
  readonly after?: RowPlace
  readonly read: number
  readonly matched: number
  readonly changed: number
  /** Left alone because a worker has them now. */
  readonly attempting: number
  /** Left alone because the time is later than they can wait. */
  readonly tooLate: number
}

/** Nothing done yet. */
export const atBeginning: Progress = {
  steps: 0,
  accountsDone: 0,
  read: 0,
  matched: 0,
  changed: 0,
  attempting: 0,
  tooLate: 0,
}

/** Port: operations; they are kept for a month after they end, so that one can see who was changed by what. */
export interface OperationStore {
  add(operation: Operation): Promise<void>
  read(id: RowId): Promise<Operation | undefined>
  /** The newest first. */
  list(limit: number): Promise<readonly Operation[]>
  /** Those that run, the first first; they may be seconds late. */
  running(limit: number): Promise<readonly Operation[]>
  /** Notes a step; false when the operation is no longer as it was before. */
  advance(before: Operation, after: Operation): Promise<boolean>
}
