import type { Account } from '../account/options.ts'
import type { Instant } from '../base/clock.ts'
import { type RowId, rowIdAt } from '../base/row-id.ts'
import { type FinalFailure, suppressionFor } from '../suppression/decide.ts'
import { newSuppression } from '../suppression/new-suppression.ts'
import type { Standing, Suppression } from '../suppression/suppression.ts'
import { newOutgoingCall } from '../webhook/outgoing-event.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { DeliveryResult, QueuedMessage } from './queued-message.ts'

/** What somebody tells of a sent message, and what is written with it. */
export interface Feedback {
  readonly message: QueuedMessage
  /** Kept in the history of the message. */
  readonly result: DeliveryResult
  /** A message that had been accepted was given up later. */
  readonly failed: boolean
  readonly call?: WebhookCall
  readonly suppression?: Suppression
  /** Written instead when the recipient was listed by somebody else meanwhile. */
  readonly otherwise?: Feedback
}

/** What is told of a sent message after its attempt. */
export interface News {
  /** The action of a notification (RFC 3464 §2.3.3); a recipient's complaint; or nothing that we understand. */
  readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded' | 'complaint' | 'unrecognized'
  /** 0 if it has none. */
  readonly code: number
  /** RFC 3463; empty if it has none. */
  readonly enhancedCode: string
  /** Of one line. */
  readonly text: string
  readonly source: FinalFailure['source']
  /** It is a delivery status notification. */
  readonly isDsn: boolean
}

/** Whom the news is about, and when they came. */
interface About {
  readonly message: QueuedMessage
  readonly standing: Standing
  readonly account: Account | undefined
  readonly at: Instant
}

/** What news mean for their message. */
export function feedbackOf(news: News, about: About): Feedback {
  const failed = news.action === 'failed'
  const facts = { message: about.message, result: resultOf(news, about), failed }
  const otherwise = { ...facts, ...callOf(news, about, false) }
  const suppression = suppressionBy(news, about)
  return suppression ? { ...facts, ...callOf(news, about, true), suppression, otherwise } : otherwise
}

/** Who complains does not want to hear of the account again; who bounces may not be there. */
function suppressionBy(news: News, { message, standing, at }: About): Suppression | undefined {
  const { account, recipient, id } = message
  if (news.action === 'complaint') {
    if (standing.suppression) return undefined
    const entry = { id: rowIdAt(at, id), account, createdAt: at, manual: false, reason: news.text }
    return newSuppression(recipient, entry)
  }
  if (news.action !== 'failed') return undefined
  const { code, enhancedCode, source } = news
  const failure = { account, recipient, code, enhancedCode, source, at, salt: id }
  return suppressionFor(failure, standingBefore(id, standing))
}

/** How the recipient stood before the delivery that now came back. */
function standingBefore(id: RowId, standing: Standing): Standing {
  const { lastDelivered } = standing
  return lastDelivered?.id === id ? { ...standing, failuresInARow: lastDelivered.failuresBefore } : standing
}

const STATUS = {
  failed: 'permanent',
  delayed: 'temporary',
  complaint: 'temporary',
  unrecognized: 'temporary',
  delivered: 'success',
  relayed: 'success',
  expanded: 'success',
} as const

function resultOf({ action, code, enhancedCode, text }: News, { message, at }: About): DeliveryResult {
  return {
    attempt: message.attempts,
    startedAt: at,
    durationMs: 0,
    status: STATUS[action],
    code,
    enhancedCode,
    error: text,
    reply: '',
    notification: action,
  }
}

function callOf(
  { action, code, enhancedCode, text, isDsn }: News,
  { message, account, at }: About,
  suppressing: boolean,
): { readonly call?: WebhookCall } {
  const call = newOutgoingCall(account, at, {
    event: action === 'complaint' ? 'unrecognized' : action,
    dsn: isDsn,
    suppressing,
    account: message.account,
    queueMsgId: message.id,
    fromId: message.fromId,
    messageId: message.messageId,
    subject: message.subject,
    smtpCode: code,
    smtpEnhancedCode: enhancedCode,
    error: text,
    extra: message.extra,
  })
  return call ? { call } : {}
}
