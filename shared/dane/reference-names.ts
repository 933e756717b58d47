import type { MailHosts } from '../destination/find-mail-hosts.ts'
import type { AliasedHost } from './find-tlsa.ts'

/**
 * The names that the certificate of a mail host may be for (RFC 7672 §3.2.2), where `baseDomain` is where its TLSA
 * records are: any of them will do. The first is that base domain, which SNI asks for (§8.1). The recipient's own domain
 * is among them where DNSSEC vouches for the way from there to the host.
 */
export function referenceNames(
  mailHosts: MailHosts,
  { host }: AliasedHost,
  baseDomain: string,
): readonly string[] {
  const { hasMx, expandedAuthentic, nextHop, expandedNextHop } = mailHosts
  const nextHops = hasMx && expandedAuthentic ? [nextHop, expandedNextHop] : []
  return [...new Set([baseDomain, host, ...nextHops])]
}
