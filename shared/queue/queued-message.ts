import type { Address } from '../address/address.ts'
import type { AttemptResult, AttemptRow } from '../attempts/attempt-row.ts'
import type { RowEdit } from '../attempts/attempt-store.ts'
import { type DelayedHint, type Hint, LONGEST_DELAY_MS } from '../attempts/hint-channel.ts'
import { DAY, type Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { MailCommand, RcptCommand } from '../smtp/commands.ts'
import type { Evidence } from './evidence.ts'

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
  /** The transport that an operator chose; empty follows the routes. */
  readonly transport: string
  /** RFC 8689: true demands verified TLS all the way, false prefers delivery to TLS; absent has no wish. */
  readonly requireTls?: boolean
  /** RFC 4865: when the submitter wanted it released, `for;<seconds>` or `until;<time>`; empty is at once. */
  readonly futureRelease: string
  /** The last call about it, if a later one may supersede it. */
  readonly lastCall?: RowId
  /** The notice that the sender has not been given yet. */
  readonly owed?: NoticeKind
  /** What the submitter wants to see again in events. */
  readonly extra: Readonly<Record<string, string>>
  /** What the submitter asked of notices; absent where nothing was asked. */
  readonly dsn?: DsnRequest
}

/** The DSN parameters of a message and its recipient (RFC 3461 §4). */
export type DsnRequest = Pick<MailCommand, 'envelopeId' | 'return'> &
  Pick<RcptCommand, 'notify' | 'originalRecipient'>

/** What operators change of a message; what is absent stays. */
export interface MessageEdit extends RowEdit {
  /** Empty follows the routes. */
  readonly transport?: string
  readonly requireTls?: boolean | 'no wish'
}

/**
 * A delivery status notification to the sender (RFC 3464): given up; late; or handed on to a server that we did not
 * ask to tell more.
 */
export type NoticeKind = 'failed' | 'delayed' | 'relayed'

const NOTIFY_OF = { failed: 'FAILURE', delayed: 'DELAY', relayed: 'SUCCESS' } as const

/**
 * Whether the sender wants that notice (RFC 3461 §4.1); who asked for nothing hears of failures and delays. What has
 * the null reverse-path is not told of (RFC 5321 §6.1).
 */
export function wantsNotice(
  { mailFrom, dsn }: Pick<QueuedMessage, 'mailFrom' | 'dsn'>,
  kind: NoticeKind,
): boolean {
  return mailFrom !== undefined && (dsn?.notify ?? ['FAILURE', 'DELAY']).includes(NOTIFY_OF[kind])
}

/** One attempt to deliver. */
export interface DeliveryResult extends AttemptResult, Evidence {
  /** RFC 3463, such as `5.1.1`; empty if the remote gave none. */
  readonly enhancedCode: string
  /** Not an attempt of ours: the action of a notification (RFC 3464) that came later, or `unrecognized`. */
  readonly notification?: string
}

/** Wakes the worker for the next attempt. */
export function attemptHint({ account, id, attempts }: QueuedMessage): Hint {
  return { account, id, attempt: attempts + 1 }
}

/** The same, delayed until the attempt is due; none where that is later than a hint can wait, which is the sweep's. */
export function nextAttemptHints(row: QueuedMessage, now: Instant): readonly DelayedHint[] {
  const delayMs = Math.max(0, row.nextAt - now)
  if (row.hold || delayMs > LONGEST_DELAY_MS) return []
  return [{ ...attemptHint(row), ...(delayMs > 0 && { delayMs }) }]
}

/** A message may wait that long from the day it was queued, on hold or for its time: its content is kept no longer. */
export const LONGEST_WAIT_MS = 80 * DAY
const CONTENT_KEPT_MS = 90 * DAY
/** What the attempts take, with room for outages. */
export const ATTEMPTS_TAKE_MS = 7 * DAY

/** Until when the content must be there. */
export function contentKeptUntil({ queuedAt, nextAt, hold }: QueuedMessage): Instant {
  return hold ? queuedAt + CONTENT_KEPT_MS : nextAt + ATTEMPTS_TAKE_MS
}
