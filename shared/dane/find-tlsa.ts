import type { HostAddresses } from '../destination/find-host-addresses.ts'
import type { MailHosts } from '../destination/find-mail-hosts.ts'
import { followAliases } from '../dns/follow-aliases.ts'
import type { DnsFailure, Resolver, TlsAssociation } from '../dns/resolver.ts'

/** The TLSA records of a service, all that DNSSEC vouches for, usable or not. */
export interface FoundTlsa {
  readonly kind: 'found'
  /** RFC 7671 §7: where they are, the first name for the certificate, and what to ask for with SNI. */
  readonly baseDomain: string
  /** At least one. */
  readonly records: readonly TlsAssociation[]
}

/** There is no DANE for the service; `authentic` where DNSSEC vouches for that. */
export interface NoTlsa {
  readonly kind: 'none'
  readonly authentic: boolean
}

/** A host of a service, and where its CNAMEs lead. */
export type AliasedHost = Pick<HostAddresses, 'host' | 'expandedHost' | 'expandedAuthentic'>

const MOST_LINKS = 10

/**
 * What a mail host is asked for TLSA records as. Undefined where it is not asked at all, because DNSSEC does not vouch
 * for the way to it: for its MX (RFC 7672 §2.2.1), or for what is at the host's own name (§2.2.2). A domain without MX
 * is that name itself, whatever it is an alias of.
 */
export function daneHost(mailHosts: MailHosts, addresses: HostAddresses): AliasedHost | undefined {
  const { hasMx, nextHop, expandedNextHop, originalAuthentic } = mailHosts
  const { host, expandedHost, authentic } = addresses
  const expandedAuthentic = mailHosts.expandedAuthentic && addresses.expandedAuthentic
  if (hasMx) {
    return mailHosts.expandedAuthentic && authentic ? { host, expandedHost, expandedAuthentic } : undefined
  }
  const isAlias = nextHop !== expandedNextHop
  return originalAuthentic && (isAlias || authentic)
    ? { host: nextHop, expandedHost, expandedAuthentic }
    : undefined
}

/**
 * Finds the TLSA records of a host's TCP port (RFC 7672 §2.2.3): where its CNAMEs lead if DNSSEC vouches for them, else
 * at its own name. A failure means that the host must not be used (§2.1.2): it may have DANE, and whoever can make the
 * question fail must not turn that off.
 */
export async function findTlsa(
  resolver: Resolver,
  { host, expandedHost, expandedAuthentic }: AliasedHost,
  port: number,
): Promise<FoundTlsa | NoTlsa | DnsFailure> {
  if (expandedHost === host || !expandedAuthentic) return await lookUpTlsa(resolver, host, port)
  const expanded = await lookUpTlsa(resolver, expandedHost, port)
  return expanded.kind === 'none' ? await lookUpTlsa(resolver, host, port) : expanded
}

/** Finds the TLSA records of any service on TCP (RFC 7671 §7), whose name must be one that DNSSEC vouches for. */
export async function findServiceTlsa(
  resolver: Resolver,
  host: string,
  port: number,
): Promise<FoundTlsa | NoTlsa | DnsFailure> {
  const aliases = await followAliases(resolver, host, MOST_LINKS)
  if (aliases.kind === 'failed') return aliases
  const { name: expandedHost, firstAuthentic, authentic: expandedAuthentic } = aliases
  if (!firstAuthentic) return { kind: 'none', authentic: false }
  return await findTlsa(resolver, { host, expandedHost, expandedAuthentic }, port)
}

/** A TLSA name may be an alias (RFC 7671 §6); one link without DNSSEC, and the records count for nothing. */
async function lookUpTlsa(
  resolver: Resolver,
  baseDomain: string,
  port: number,
): Promise<FoundTlsa | NoTlsa | DnsFailure> {
  const answer = await resolver.lookUp('TLSA', `_${port}._tcp.${baseDomain}`)
  if (answer.kind === 'failed') return answer
  if (answer.kind !== 'found' || !answer.authentic) return { kind: 'none', authentic: answer.authentic }
  return { kind: 'found', baseDomain, records: answer.values }
}
