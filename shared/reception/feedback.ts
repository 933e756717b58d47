import type { Account } from '../account/options.ts'
import type { Instant } from '../base/clock.ts'
import type { DsnReport } from '../dsn/parse.ts'
import type { DsnRecipient } from '../dsn/recipient.ts'
import type { Arrival } from '../mailbox/mailbox-store.ts'
import { type Feedback, feedbackOf, type News } from '../queue/feedback.ts'
import type { QueuedMessage } from '../queue/queued-message.ts'
import type { Standing } from '../suppression/suppression.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'

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
export function receivedFeedback(received: Received): Feedback {
  return feedbackOf(newsOf(received.report), received)
}

function newsOf(report: DsnReport | undefined): News {
  const recipient = soleRecipient(report)
  const { action = 'unrecognized', code = 0, enhancedCode = '', diagnostic: text = '' } = recipient ?? {}
  return { action, code, enhancedCode, text, source: 'DSN', isDsn: report !== undefined }
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
