import type { AccountName } from '../account/options.ts'
import type { Address } from '../address/address.ts'

/** Port: to whom an account has sent before. Who was not sent to for half a year may be forgotten. */
export interface KnownRecipients {
  /** Those of the addresses that the account has never sent to, each once. */
  unknown(account: AccountName, recipients: readonly Address[]): Promise<readonly Address[]>
  remember(account: AccountName, recipients: readonly Address[]): Promise<void>
}
