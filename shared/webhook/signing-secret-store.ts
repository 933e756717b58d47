import type { AccountName } from '../account/options.ts'
import type { SigningSecret, WebhookDirection } from './signing-secret.ts'

/** Port: what webhook calls are signed with, read by key and never part of the options. */
export interface SigningSecretStore {
  /** As last written; undefined where the calls are not signed. */
  read(account: AccountName, direction: WebhookDirection): Promise<SigningSecret | undefined>
  /** Writes `after` where the secret is still that of `before`, or none; false when somebody else was faster. */
  replace(
    account: AccountName,
    direction: WebhookDirection,
    before: SigningSecret | undefined,
    after: SigningSecret,
  ): Promise<boolean>
  remove(account: AccountName, direction: WebhookDirection): Promise<void>
}
