import type { Account } from '../account/options.ts'
import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { DsnReport } from '../dsn/parse.ts'
import type { DsnRecipient } from '../dsn/recipient.ts'
import type { Arrival } from '../mailbox/mailbox-store.ts'
import type { DeliveryResult, QueuedMessage } from '../queue/queued-message.ts'
import { suppressionFor } from '../suppression/decide.ts'
import type { Standing, Suppression } from '../suppression/suppression.ts'
import { newOutgoingCall, type OutgoingEvent } from '../webhook/outgoing-event.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'

/** What a received message says about a sent one, and what is written with it. */
export interface Feedback {
  readonly message: QueuedMessage
  /** Kept in the history of the message, once that is finished. */
  readonly result: DeliveryResult
  /** A message that had been accepted was given up later. */
  readonly failed: boolean
  readonly call?: WebhookCall
  readonly suppression?: Suppression
  /** Written instead when the recipient was listed by somebody else meanwhile. */
  readonly otherwise?: Feedback
}

/** Port: received messages that tell of sent ones. */
export interface FeedbackStore {
  /** Stores the mail and all that the feedback says in one transaction; answers the call as stored. */
  take(arrival: Arrival, feedback: Feedback): Promise<WebhookCall | undefined>
}

/** Everything that feedback is made of. */
interface Received {
  readonly message: QueuedMessage
  /** Undefined for a message that is no notification, such as an answer of a vacation responder. */
  readonly report: DsnReport | undefined
  readonly standing: Standing
  readonly account: Account | undefined
  readonly at: Instant
}

/** Reads what a notification, or whatever else came to a FromID, means for its message. */
export function feedbackOf(received: Received): Feedback {
  const { message, standing, at } = received
  const recipient = soleRecipient(received.report)
  const failed = recipient?.action === 'failed'
  const facts = { message, result: resultOf(message, recipient, at), failed }
  const otherwise = { ...facts, ...callOf(received, recipient, false) }
  if (!failed || !recipient) return otherwise
  const { code, enhancedCode } = recipient
  const { account, recipient: address, id } = message
  const suppression = suppressionFor(
    { account, recipient: address, code, enhancedCode, source: 'DSN', at, salt: id },
    standingBefore(id, standing),
  )
  if (!suppression) return otherwise
  return { ...facts, ...callOf(received, recipient, true), suppression, otherwise }
}

/** How the recipient stood before the delivery that now came back. */
function standingBefore(id: RowId, standing: Standing): Standing {
  const { lastDelivered } = standing
  return lastDelivered?.id === id ? { ...standing, failuresInARow: lastDelivered.failuresBefore } : standing
}

/** Our messages have one recipient each: a report of none or several, or of an unknown action, tells nothing. */
function soleRecipient(report: DsnReport | undefined): KnownRecipient | undefined {
  const [recipient, second] = report?.recipients ?? []
  return recipient && !second && isKnown(recipient) ? recipient : undefined
}

type KnownRecipient = DsnRecipient & { readonly action: Exclude<DsnRecipient['action'], 'unknown'> }

function isKnown(recipient: DsnRecipient): recipient is KnownRecipient {
  return recipient.action !== 'unknown'
}

function resultOf(
  message: QueuedMessage,
  recipient: KnownRecipient | undefined,
  at: Instant,
): DeliveryResult {
  const { action, code = 0, enhancedCode = '', diagnostic = '' } = recipient ?? {}
  return {
    attempt: message.attempts,
    startedAt: at,
    durationMs: 0,
    status: action === 'failed' ? 'permanent' : action === 'delayed' || !action ? 'temporary' : 'success',
    code,
    enhancedCode,
    error: diagnostic,
    reply: '',
    notification: action ?? 'unrecognized',
  }
}

function callOf(
  { message, report, account, at }: Received,
  recipient: KnownRecipient | undefined,
  suppressing: boolean,
): { readonly call?: WebhookCall } {
  const event: OutgoingEvent = {
    event: recipient?.action ?? 'unrecognized',
    dsn: report !== undefined,
    suppressing,
    account: message.account,
    queueMsgId: message.id,
    fromId: message.fromId,
    messageId: message.messageId,
    subject: message.subject,
    smtpCode: recipient?.code ?? 0,
    smtpEnhancedCode: recipient?.enhancedCode ?? '',
    error: recipient?.diagnostic ?? '',
    extra: message.extra,
  }
  const call = newOutgoingCall(account, at, event)
  return call ? { call } : {}
}
