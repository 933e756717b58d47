import type { AttemptResult, AttemptRow } from '../attempts/attempt-row.ts'
import type { DelayedHint } from '../attempts/hint-channel.ts'
import { MINUTE } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { ContentName } from '../content/content-store.ts'
import type { WebhookDirection } from './signing-secret.ts'

/** A call that tells an application something: what to say and to whom was fixed when it was queued. */
export interface WebhookCall extends AttemptRow<CallResult> {
  readonly url: string
  /** The verbatim Authorization header; empty sends none. */
  readonly authorization: string
  /** The event's name, or `incoming` for a received message. */
  readonly event: string
  /** The exact body of every attempt, or where it is kept. */
  readonly body: { readonly json: string } | { readonly stored: ContentName }
  /** The message it is about; 0 for an incoming message. */
  readonly queueMsgId: RowId | 0
  readonly fromId: string
  readonly messageId: string
  readonly subject: string
  readonly extra: Readonly<Record<string, string>>
  /** How long it is kept in the retired list once done, in milliseconds; 0 keeps it out. */
  readonly keepRetiredMs: number
  /** The last call about the same message is given up for this one, if it was not made yet. */
  readonly supersedes: boolean
  /** The later call for which this one was given up. */
  readonly supersededBy?: RowId
  /** Set where an operator only tries the receiver of that direction: such a call is attempted once. */
  readonly test?: WebhookDirection
}

/** One attempt to call. */
export interface CallResult extends AttemptResult {
  readonly url: string
  /** The first 512 bytes of the answer. */
  readonly response: string
}

/** A call that nobody has tried yet. */
export function newCall(
  call: Omit<WebhookCall, 'state' | 'attempts' | 'nextAt' | 'results' | 'lease' | 'retired'>,
): WebhookCall {
  return { ...call, state: 'waiting', attempts: 0, nextAt: call.queuedAt, results: [] }
}

/** Whose secret signs the call. */
export function directionOf({ event, test }: Pick<WebhookCall, 'event' | 'test'>): WebhookDirection {
  if (test) return test
  return event === 'incoming' ? 'incoming' : 'outgoing'
}

/**
 * Names the call to receivers, the same on every attempt, where ids are unique within an account only. Signed
 * contents are joined by dots, so the name has none; account names have no `~`.
 */
export function callName({ account, id }: WebhookCall): string {
  return `msg_${id}_${account.replaceAll('.', '~')}`
}

/**
 * A hint that waited longer is dropped: a URL that hangs makes one call a minute, and would fill the queue, of which
 * SQS sees the first 120,000 messages only. Long enough for whoever answers, though slowly.
 */
export const LONGEST_HINT_WAIT_MS = 5 * MINUTE

/** Wakes the worker for the next attempt; calls to one URL go one after the other. */
export function callHint(call: WebhookCall): DelayedHint {
  return { account: call.account, id: call.id, attempt: call.attempts + 1, group: call.url }
}
