import { followAliases } from '../dns/follow-aliases.ts'
import { lookUpAddresses } from '../dns/look-up-addresses.ts'
import type { DnsFailure, Resolver } from '../dns/resolver.ts'

/** Where a host is. */
export interface HostAddresses {
  readonly kind: 'found'
  readonly host: string
  /** Where its CNAMEs lead; the same where it is no alias. RFC 5321 §5.1 forbids an alias as MX; some are. */
  readonly expandedHost: string
  /** At least one; IPv4 first. */
  readonly addresses: readonly string[]
  /**
   * DNSSEC vouches for what is at the host's own name: its CNAME, or that there is none and its addresses. Where it does
   * not, nobody asks for its TLSA records: some servers of unsigned zones fail at that question (RFC 7672 §2.2.2).
   */
  readonly authentic: boolean
  /** DNSSEC vouches for all, CNAMEs and addresses. */
  readonly expandedAuthentic: boolean
}

/** The host has no address, or does not exist. */
export interface NoAddress {
  readonly kind: 'no-address'
  readonly error: string
}

const MOST_LINKS = 10

/** Finds the addresses of a host, by both kinds of address record. */
export async function findHostAddresses(
  resolver: Resolver,
  host: string,
): Promise<HostAddresses | NoAddress | DnsFailure> {
  const aliases = await followAliases(resolver, host, MOST_LINKS)
  if (aliases.kind === 'failed') return aliases
  const answer = await lookUpAddresses(resolver, aliases.name)
  if (answer.kind === 'failed') return answer
  if (answer.kind !== 'found') {
    const what = answer.kind === 'no-name' ? 'does not exist' : 'has no address'
    return { kind: 'no-address', error: `the host ${aliases.name} ${what}` }
  }
  const isAlias = aliases.name !== host
  return {
    kind: 'found',
    host,
    expandedHost: aliases.name,
    addresses: answer.values,
    authentic: aliases.firstAuthentic && (isAlias || answer.authentic),
    expandedAuthentic: aliases.authentic && answer.authentic,
  }
}
