import type { DomainName } from '../address/domain-name.ts'
import type { AccountName } from './options.ts'

/** A local part that means every local part of its domain that nobody else has. */
export const CATCHALL = '@'

/** One address of an account. */
export interface DirectoryEntry {
  readonly domain: DomainName
  /** Lower case, without separator and suffix; or {@link CATCHALL}. */
  readonly localpart: string
  readonly account: AccountName
}

/** Port: which address belongs to which account. An address belongs to one account at most. */
export interface AddressDirectory {
  find(domain: DomainName, localpart: string): Promise<AccountName | undefined>
  /** False when the address belongs to an account already. */
  add(entry: DirectoryEntry): Promise<boolean>
  /** Gives an address to another account; false when nobody has it. */
  move(entry: DirectoryEntry): Promise<boolean>
  /** False when nobody has the address. */
  remove(domain: DomainName, localpart: string): Promise<boolean>
  list(domain: DomainName): Promise<readonly DirectoryEntry[]>
}
