import type { Account, AccountName } from '../account/options.ts'
import { webhookOf } from '../webhook/account-webhook.ts'
import { webhookDirections } from '../webhook/signing-secret.ts'
import { type AccountChange, isEnabling } from './account-settings.ts'
import type { AdminPorts } from './admin-ports.ts'

/** What a webhook failed of before it was set or enabled no longer counts, or it would be disabled again at once. */
export async function forgetFailures(
  { failing }: Pick<AdminPorts, 'failing'>,
  name: AccountName,
  account: Account,
  { OutgoingWebhook, IncomingWebhook }: Pick<AccountChange, 'OutgoingWebhook' | 'IncomingWebhook'>,
): Promise<void> {
  for (const direction of webhookDirections) {
    const change = direction === 'outgoing' ? OutgoingWebhook : IncomingWebhook
    const url = change?.URL ?? webhookOf(account, direction)?.url
    if (change && isEnabling(change) && url !== undefined) {
      await failing.forget({ account: name, direction, url })
    }
  }
}
