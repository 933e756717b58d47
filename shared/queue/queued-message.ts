import type { Address } from '../address/address.ts'
import type { AttemptResult, AttemptRow } from '../attempts/attempt-row.ts'
import type { Hint } from '../attempts/hint-channel.ts'
import type { RowId } from '../base/row-id.ts'

/** A message for one recipient, queued or retired. Recipients of one Send share content and `base`. */
export interface QueuedMessage extends AttemptRow<DeliveryResult> {
  /** The id of the Send's first recipient; names the content. */
  readonly base: RowId
  /** How many recipients the Send had. With more than one, the row is nothing until the Send is committed. */
  readonly recipients: number
  /** The reverse-path (RFC 5321 §4.1.2); undefined is the null reverse-path of notifications. */
  readonly mailFrom?: Address
  readonly recipient: Address
  /** The part of the reverse-path that is unique to this row; empty when there is none. */
  readonly fromId: string
  /** With angle brackets. */
  readonly messageId: string
  readonly subject: string
  /** Octets of the content. */
  readonly size: number
  readonly has8bit: boolean
  readonly smtputf8: boolean
  /** The notice that the sender has not been given yet. */
  readonly owed?: NoticeKind
  /** What the submitter wants to see again in events. */
  readonly extra: Readonly<Record<string, string>>
}

/** A delivery status notification to the sender (RFC 3464): given up, or late. */
export type NoticeKind = 'failed' | 'delayed'

/** One attempt to deliver. */
export interface DeliveryResult extends AttemptResult {
  /** RFC 3463, such as `5.1.1`; empty if the remote gave none. */
  readonly enhancedCode: string
  /** Not an attempt of ours: the action of a notification (RFC 3464) that came later, or `unrecognized`. */
  readonly notification?: string
}

/** Wakes the worker for the next attempt. */
export function attemptHint({ account, id, attempts }: QueuedMessage): Hint {
  return { account, id, attempt: attempts + 1 }
}
