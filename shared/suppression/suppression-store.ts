import type { Address } from '../address/address.ts'
import type { Standing, Suppression } from './suppression.ts'

/** Port: the suppression list of each account, and how its recipients fared. */
export interface SuppressionStore {
  /** All entries of an account, oldest first. */
  list(account: string): Promise<readonly Suppression[]>
  /** At most `limit` entries of an account by base address, those behind `after`; in the order of their UTF-8 octets. */
  page(
    account: string,
    range: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly Suppression[]>
  /** False when the base address is listed already. */
  add(suppression: Suppression): Promise<boolean>
  /** False when the base address is not listed. */
  remove(account: string, baseAddress: string): Promise<boolean>
  find(account: string, baseAddress: string): Promise<Suppression | undefined>
  /** The entries of those that are listed, in their order; none may be named twice. */
  findAll(wanted: readonly Pick<Suppression, 'account' | 'baseAddress'>[]): Promise<readonly Suppression[]>
  /** One standing for each recipient, in their order. */
  standings(account: string, recipients: readonly Address[]): Promise<readonly Standing[]>
}
