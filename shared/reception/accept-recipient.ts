import type { AddressDirectory } from '../account/address-directory.ts'
import type { AccountName, Options } from '../account/options.ts'
import { type Resolution, resolveAddress } from '../account/resolve-address.ts'
import type { Address } from '../address/address.ts'
import { parseDomainName } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
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

interface AcceptPorts {
  readonly options: Options
  readonly directory: AddressDirectory
}

/**
 * Decides about RCPT TO (RFC 5321 §4.1.1.3). Where a catchall account is set, as local mode does, it takes what
 * nobody has, unless the reverse-path is of an account: then its own mail comes back to it.
 */
export async function acceptRecipient(
  ports: AcceptPorts,
  catchallAccount: AccountName | undefined,
  mailFrom: Address | undefined,
  address: Address,
): Promise<AcceptedRecipient | Refusal> {
  const found = await resolveRecipient(ports, address)
  if (found.kind === 'account') return { account: found.account, address }
  if (found.kind === 'domain-disabled') return DOMAIN_DISABLED
  if (catchallAccount === undefined) return NO_SUCH_ADDRESS
  const sender = mailFrom ? await resolveAddress(ports, mailFrom) : undefined
  return { account: sender?.kind === 'account' ? sender.account : catchallAccount, address }
}

/**
 * RFC 5321 §4.5.1: there is a postmaster wherever mail is taken. For the host, and for domains that have none of their
 * own, it is the one of the domain that the host is in.
 */
async function resolveRecipient(ports: AcceptPorts, address: Address): Promise<Resolution> {
  const found = await resolveAddress(ports, address)
  const { hostname, domains } = ports.options
  const isHere = address.domain === hostname || lookUp(domains, address.domain) !== undefined
  if (found.kind !== 'unknown' || !isHere || address.localpart.toLowerCase() !== 'postmaster') return found
  const labels = hostname.split('.')
  const above = labels.map((_, depth) => labels.slice(depth).join('.'))
  const domain = above.find((name) => lookUp(domains, name) !== undefined)
  return domain === undefined
    ? found
    : await resolveAddress(ports, { ...address, domain: parseDomainName(domain) })
}
