import type { Account, IncomingWebhook } from '../account/options.ts'
import type { WebhookDirection } from './signing-secret.ts'

/** The account's webhook of that direction, whether enabled or not. */
export function webhookOf(
  { outgoingWebhook, incomingWebhook }: Account,
  direction: WebhookDirection,
): IncomingWebhook | undefined {
  return direction === 'outgoing' ? outgoingWebhook : incomingWebhook
}
