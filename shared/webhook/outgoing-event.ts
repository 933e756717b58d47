import type { Account } from '../account/options.ts'
import { formatInstant, type Instant } from '../base/clock.ts'
import { type RowId, rowIdAt } from '../base/row-id.ts'
import { wireMap } from '../message/wire-message.ts'
import { newCall, type WebhookCall } from './webhook-call.ts'
import { webhookJson } from './webhook-json.ts'

/** The names of all delivery events that an account can ask for. */
export const outgoingEvents = [
  'delivered',
  'suppressed',
  'delayed',
  'failed',
  'relayed',
  'expanded',
  'canceled',
  'unrecognized',
] as const

type OutgoingEventName = (typeof outgoingEvents)[number]

/** What happened to a message that the account sent. */
export interface OutgoingEvent {
  readonly event: OutgoingEventName
  /** The event came from a received delivery status notification. */
  readonly dsn: boolean
  /** This failure put the recipient on the suppression list just now. */
  readonly suppressing: boolean
  readonly account: string
  readonly queueMsgId: RowId
  readonly fromId: string
  readonly messageId: string
  readonly subject: string
  readonly smtpCode: number
  readonly smtpEnhancedCode: string
  readonly error: string
  readonly extra: Readonly<Record<string, string>>
}

/** The call that reports the event, unless the account has no webhook for it, or a disabled one. */
export function newOutgoingCall(
  account: Account | undefined,
  queuedAt: Instant,
  event: OutgoingEvent,
): WebhookCall | undefined {
  const webhook = account?.outgoingWebhook
  if (!webhook || webhook.disabledAt !== undefined) return undefined
  if (webhook.events.length > 0 && !webhook.events.includes(event.event)) return undefined
  return newCall({
    account: event.account,
    id: rowIdAt(queuedAt, event.queueMsgId),
    queuedAt,
    url: webhook.url,
    authorization: webhook.authorization,
    event: event.event,
    body: { json: outgoingPayload(event, queuedAt) },
    queueMsgId: event.queueMsgId,
    fromId: event.fromId,
    messageId: event.messageId,
    subject: event.subject,
    extra: event.extra,
    keepRetiredMs: account.keepRetiredWebhooksMs,
    supersedes: !webhook.keepsEveryEvent,
  })
}

/** The body of the call, field for field as mox writes it. */
export function outgoingPayload(event: OutgoingEvent, queuedAt: Instant): string {
  return webhookJson({
    Version: 0,
    Event: event.event,
    DSN: event.dsn,
    Suppressing: event.suppressing,
    QueueMsgID: event.queueMsgId,
    FromID: event.fromId,
    MessageID: event.messageId,
    Subject: event.subject,
    WebhookQueued: formatInstant(queuedAt),
    SMTPCode: event.smtpCode,
    SMTPEnhancedCode: event.smtpEnhancedCode,
    Error: event.error,
    Extra: wireMap(event.extra),
  })
}
