import type { Feedback } from '../queue/feedback.ts'
import type { DeliveryResult, QueuedMessage } from '../queue/queued-message.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'

/** Port: what SES tells of messages that it does not end. */
export interface SesEventStore {
  /** Keeps the result of an attempt after which somebody else went on, unless that is known already. */
  keepLate(row: QueuedMessage, result: DeliveryResult): Promise<void>
  /**
   * Writes feedback, and all that it causes, in one transaction, once for each event. Undefined when the message is no
   * longer in the state in which it was read.
   */
  note(feedback: Feedback, eventId: string): Promise<{ readonly call?: WebhookCall } | undefined>
}
