import type { AccountName } from '../account/options.ts'
import { createSigningSecret } from '../webhook/change-signing-secret.ts'
import type { WebhookDirection } from '../webhook/signing-secret.ts'
import type { AccountChange } from './account-settings.ts'
import type { AdminPorts } from './admin-ports.ts'

/** The secrets that were made with an account's first webhooks: no other answer has them. */
export interface FirstWebhookSecretsJson {
  readonly Outgoing?: string
  readonly Incoming?: string
}

/** Makes a secret for each webhook whose URL was saved and that has none; undefined when none was made. */
export async function createFirstSecrets(
  ports: AdminPorts,
  account: AccountName,
  { OutgoingWebhook, IncomingWebhook }: Pick<AccountChange, 'OutgoingWebhook' | 'IncomingWebhook'>,
): Promise<FirstWebhookSecretsJson | undefined> {
  const create = async (webhook: AccountChange['IncomingWebhook'], direction: WebhookDirection) =>
    webhook?.URL === undefined ? undefined : await createSigningSecret(ports, account, direction)
  const outgoing = await create(OutgoingWebhook, 'outgoing')
  const incoming = await create(IncomingWebhook, 'incoming')
  if (!outgoing && !incoming) return undefined
  return { ...(outgoing && { Outgoing: outgoing.secret }), ...(incoming && { Incoming: incoming.secret }) }
}
