import type { AccountName } from '../account/options.ts'
import { countedAttempts } from '../attempts/attempt-row.ts'
import { formatInstant, type Instant } from '../base/clock.ts'
import { type CallResult, directionOf, type WebhookCall } from '../webhook/webhook-call.ts'
import { attemptError } from './attempt-error.ts'

/** What mox's `Hook` and `HookRetired` have in common. */
interface AnyCallJson {
  readonly ID: number
  /** The message it is about; 0 for a received one. */
  readonly QueueMsgID: number
  readonly FromID: string
  readonly MessageID: string
  readonly Subject: string
  readonly Extra: Readonly<Record<string, string>>
  readonly Account: AccountName
  readonly URL: string
  readonly IsIncoming: boolean
  /** Empty for a received message; `test` where an operator only tries the receiver. */
  readonly OutgoingEvent: string
  /** The body; empty where it is too large to be listed. */
  readonly Payload: string
  readonly Submitted: string
  readonly Attempts: number
  readonly Results: readonly CallResultJson[]
}

/** A queued call, as mox's `Hook`; what is sent as Authorization is not shown. */
export interface QueuedCallJson extends AnyCallJson {
  readonly Authorization: boolean
  /** Why nobody may make it until it is released; empty when it is not on hold. */
  readonly HoldReason: string
  readonly NextAttempt: string
}

/** A finished call, as mox's `HookRetired`. */
export interface RetiredCallJson extends AnyCallJson {
  readonly Authorization: boolean
  readonly SupersededByID: number
  readonly Success: boolean
  readonly LastActivity: string
  readonly KeepUntil: string
}

/** One attempt, as mox's `HookResult`. */
export interface CallResultJson {
  readonly Start: string
  /** Nanoseconds. */
  readonly Duration: number
  readonly URL: string
  readonly Success: boolean
  /** The HTTP status; 0 when there was no answer. */
  readonly Code: number
  readonly Error: string
  readonly Response: string
}

const NANOSECONDS = 1_000_000

/** Writes an unfinished call. */
export function queuedCallJson(call: WebhookCall, now: Instant): QueuedCallJson {
  return {
    ...anyCallJson(call, now),
    Authorization: call.authorization !== '',
    HoldReason: call.hold?.reason ?? '',
    NextAttempt: formatInstant(Math.max(call.nextAt, call.lease?.endsAt ?? 0)),
  }
}

/** Writes a finished call. */
export function retiredCallJson(call: WebhookCall, now: Instant): RetiredCallJson {
  const { success = false, lastActivityAt = call.queuedAt, keepUntil = 0 } = call.retired ?? {}
  return {
    ...anyCallJson(call, now),
    Authorization: call.authorization !== '',
    SupersededByID: call.supersededBy ?? 0,
    Success: success,
    LastActivity: formatInstant(lastActivityAt),
    KeepUntil: formatInstant(keepUntil),
  }
}

function anyCallJson(call: WebhookCall, now: Instant): AnyCallJson {
  const isIncoming = directionOf(call) === 'incoming'
  return {
    ID: call.id,
    QueueMsgID: call.queueMsgId,
    FromID: call.fromId,
    MessageID: call.messageId,
    Subject: call.subject,
    Extra: call.extra,
    Account: call.account,
    URL: call.url,
    IsIncoming: isIncoming,
    OutgoingEvent: isIncoming ? '' : call.event,
    Payload: 'json' in call.body ? call.body.json : '',
    Submitted: formatInstant(call.queuedAt),
    Attempts: countedAttempts(call),
    Results: call.results.map((result) => resultJson(call, result, now)),
  }
}

function resultJson(call: WebhookCall, result: CallResult, now: Instant): CallResultJson {
  return {
    Start: formatInstant(result.startedAt),
    Duration: result.durationMs * NANOSECONDS,
    URL: result.url,
    Success: result.status === 'success',
    Code: result.code,
    Error: attemptError(call, result, now),
    Response: result.response,
  }
}
