import type { AddressDirectory } from '../account/address-directory.ts'
import type { AccountName, Options } from '../account/options.ts'
import { resolveAddress } from '../account/resolve-address.ts'
import type { Address } from '../address/address.ts'
import type { Refusal } from '../smtp/refusal.ts'

/** A recipient that we take mail for. */
export interface AcceptedRecipient {
  readonly account: AccountName
  readonly address: Address
}

const NO_SUCH_ADDRESS: Refusal = { code: 550, enhancedCode: '5.1.1', text: 'no such address here' }
const DOMAIN_DISABLED: Refusal = {
  code: 451,
  enhancedCode: '4.2.1',
  text: 'this domain takes no mail at present',
}

/**
 * Decides about RCPT TO (RFC 5321 §4.1.1.3). Where a catchall account is set, as local mode does, it takes what
 * nobody has, unless the reverse-path is of an account: then its own mail comes back to it.
 */
export async function acceptRecipient(
  ports: { readonly options: Options; readonly directory: AddressDirectory },
  catchallAccount: AccountName | undefined,
  mailFrom: Address | undefined,
  address: Address,
): Promise<AcceptedRecipient | Refusal> {
  const found = await resolveAddress(ports, address)
  if (found.kind === 'account') return { account: found.account, address }
  if (found.kind === 'domain-disabled') return DOMAIN_DISABLED
  if (catchallAccount === undefined) return NO_SUCH_ADDRESS
  const sender = mailFrom ? await resolveAddress(ports, mailFrom) : undefined
  return { account: sender?.kind === 'account' ? sender.account : catchallAccount, address }
}
