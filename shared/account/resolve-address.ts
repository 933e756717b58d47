import { type Address, formatAddress } from '../address/address.ts'
import { lookUp } from '../base/look-up.ts'
import { type AddressDirectory, CATCHALL } from './address-directory.ts'
import type { AccountName, Options } from './options.ts'

/** Whose address it is, or why it is nobody's. */
export type Resolution =
  | { readonly kind: 'account'; readonly account: AccountName }
  | { readonly kind: 'domain-disabled' }
  | { readonly kind: 'unknown' }

/**
 * Finds the account behind an address of ours: the address itself, then the part before the first separator of
 * its domain, then the domain's catchall. Local parts are compared without case (RFC 5321 §2.4 leaves this to us).
 */
export async function resolveAddress(
  ports: { readonly options: Options; readonly directory: AddressDirectory },
  address: Address,
): Promise<Resolution> {
  const domain = lookUp(ports.options.domains, address.domain)
  if (!domain) return { kind: 'unknown' }
  if (domain.disabled) return { kind: 'domain-disabled' }
  for (const localpart of candidates(address.localpart, domain.separators)) {
    const account = await ports.directory.find(address.domain, localpart)
    if (account && lookUp(ports.options.accounts, account)) return { kind: 'account', account }
  }
  return { kind: 'unknown' }
}

/** Two addresses that reach the same place compare equal in this form. */
export function directoryKey(address: Address): string {
  return formatAddress({ ...address, localpart: address.localpart.toLowerCase() })
}

/** In lower case, up to the first separator. */
export function baseLocalpart(localpart: string, separators: readonly string[]): string {
  const whole = localpart.toLowerCase()
  const ends = separators.map((separator) => whole.indexOf(separator)).filter((end) => end > 0)
  return ends.length > 0 ? whole.slice(0, Math.min(...ends)) : whole
}

function candidates(localpart: string, separators: readonly string[]): string[] {
  return [...new Set([localpart.toLowerCase(), baseLocalpart(localpart, separators), CATCHALL])]
}
