import type { AccountName } from './options.ts'
import type { StoredPassword } from './password.ts'

/** The administrator's place among the credentials; no account can have this name. */
export const ADMINISTRATOR = '@admin'

/** Port: what is kept of passwords, read by key and never part of the options. */
export interface CredentialStore {
  password(holder: AccountName | typeof ADMINISTRATOR): Promise<StoredPassword | undefined>
  setPassword(holder: AccountName | typeof ADMINISTRATOR, password: StoredPassword): Promise<void>
  remove(holder: AccountName): Promise<void>
}
