import type { Options } from '../account/options.ts'
import type { Retired } from '../attempts/attempt-row.ts'
import type { Instant } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import { newOutgoingCall, type OutgoingEvent } from '../webhook/outgoing-event.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { QueuedMessage } from './queued-message.ts'

/** How a message that ends now is remembered: listed for as long as its account wants. */
export function retiredNow(options: Options, row: QueuedMessage, success: boolean, now: Instant): Retired {
  const keepMs = lookUp(options.accounts, row.account)?.keepRetiredMessagesMs ?? 0
  return { success, lastActivityAt: now, keepUntil: keepMs > 0 ? now + keepMs : 0 }
}

/** What an event says beyond the message that it is about. */
export type Told = Pick<OutgoingEvent, 'event' | 'suppressing' | 'smtpCode' | 'smtpEnhancedCode' | 'error'>

/** The call that tells the account of the message, if it wants to hear of such events. */
export function callAbout(
  options: Options,
  row: QueuedMessage,
  now: Instant,
  told: Told,
): { readonly call?: WebhookCall } {
  const { account, id, fromId, messageId, subject, extra } = row
  const call = newOutgoingCall(lookUp(options.accounts, account), now, {
    ...told,
    dsn: false,
    account,
    queueMsgId: id,
    fromId,
    messageId,
    subject,
    extra,
  })
  return call ? { call } : {}
}
