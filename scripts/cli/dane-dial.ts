import {
  dialStartTls,
  dialTls,
  type TlsFailure,
  type TlsPeer,
  trustedRoots,
} from '../../shared/adapters/net/tls-dial.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import { daneHost, type FoundTlsa, findServiceTlsa, findTlsa } from '../../shared/dane/find-tlsa.ts'
import { referenceNames } from '../../shared/dane/reference-names.ts'
import { describeTlsa, formatTlsa, smtpUsages } from '../../shared/dane/tlsa.ts'
import { verifyDane } from '../../shared/dane/verify.ts'
import { findHostAddresses } from '../../shared/destination/find-host-addresses.ts'
import { findMailHosts, type MailHosts } from '../../shared/destination/find-mail-hosts.ts'
import type { Resolver } from '../../shared/dns/resolver.ts'
import { fields, printable } from './print.ts'

/** What came of calling one host. */
export interface DialReport {
  /** The domain instead, where no host of it was found. */
  readonly host: string
  readonly verified: boolean
  /** Why not; left out where it was. */
  readonly reason?: string
  /** The record that verified it, as zone files have it. */
  readonly record?: string
  /** Its parameters by name. */
  readonly means?: string
  /** Where the TLSA records are. */
  readonly baseDomain?: string
  /** All of them. */
  readonly records?: readonly string[]
  /** The names that the certificate may be for. */
  readonly names?: readonly string[]
  readonly address?: string
  readonly protocol?: string
  /** How many certificates the server sent. */
  readonly certificates?: number
}

const DIAL_MS = 30_000

/** Calls a service that speaks TLS at once; all usages may count (RFC 7671 §4). */
export async function dialService(
  resolver: Resolver,
  service: { readonly host: string; readonly port: number; readonly usages: readonly number[] },
): Promise<DialReport> {
  const { host, port, usages } = service
  const tlsa = await findServiceTlsa(resolver, host, port)
  if (tlsa.kind !== 'found') return { host, verified: false, reason: whyNoRecords(tlsa) }
  const where = await findHostAddresses(resolver, host)
  if (where.kind !== 'found') return { host, verified: false, reason: where.error }
  const names = [...new Set([tlsa.baseDomain, host])]
  const target = { addresses: where.addresses, port, serverName: tlsa.baseDomain, timeoutMs: DIAL_MS }
  return reportOf({ host, tlsa, names, usages }, await dialTls(target))
}

/** What {@link dialMailHosts} is to call, and how. */
interface MailDial {
  readonly domain: string
  /** Only this one, as if it were the domain's only MX. */
  readonly host?: string
  readonly port: number
  /** What EHLO says. */
  readonly hostname: string
}

/** Calls the mail hosts of a domain in the order of a delivery, until one is verified; one report for each. */
export async function dialMailHosts(resolver: Resolver, dial: MailDial): Promise<readonly DialReport[]> {
  const { domain, host } = dial
  const mailHosts =
    host === undefined
      ? await findMailHosts({ resolver, random: systemRandom }, domain)
      : onlyHost(domain, host)
  if (mailHosts.kind !== 'found') return [{ host: domain, verified: false, reason: mailHosts.error }]
  const reports: DialReport[] = []
  for (const each of mailHosts.hosts) {
    const report = await dialMailHost(resolver, mailHosts, each, dial)
    reports.push(report)
    if (report.verified) break
  }
  return reports
}

/** Whoever names a host vouches for the way to it. */
function onlyHost(domain: string, host: string): MailHosts {
  const isAuthentic = { originalAuthentic: true, expandedAuthentic: true }
  return {
    kind: 'found',
    nextHop: domain,
    expandedNextHop: domain,
    hasMx: true,
    hosts: [host],
    ...isAuthentic,
  }
}

async function dialMailHost(
  resolver: Resolver,
  mailHosts: MailHosts,
  host: string,
  { port, hostname }: MailDial,
): Promise<DialReport> {
  const fail = (reason: string) => ({ host, verified: false, reason })
  const addresses = await findHostAddresses(resolver, host)
  if (addresses.kind !== 'found') return fail(addresses.error)
  const asked = daneHost(mailHosts, addresses)
  if (asked === undefined) {
    return fail(
      `DNSSEC does not vouch for the ${addresses.authentic ? `hosts of ${mailHosts.nextHop}` : `name ${host}`}`,
    )
  }
  const tlsa = await findTlsa(resolver, asked, port)
  if (tlsa.kind !== 'found') return fail(whyNoRecords(tlsa))
  const names = referenceNames(mailHosts, asked, tlsa.baseDomain)
  const target = { addresses: addresses.addresses, port, serverName: tlsa.baseDomain, timeoutMs: DIAL_MS }
  return reportOf({ host, tlsa, names, usages: smtpUsages }, await dialStartTls(target, hostname))
}

function whyNoRecords(
  tlsa:
    | { readonly kind: 'failed'; readonly error: string }
    | { readonly kind: 'none'; readonly authentic: boolean },
): string {
  if (tlsa.kind === 'failed') return tlsa.error
  return tlsa.authentic
    ? 'there are no TLSA records'
    : 'DNSSEC vouches neither for TLSA records nor for their absence'
}

interface Asked {
  readonly host: string
  readonly tlsa: FoundTlsa
  readonly names: readonly string[]
  readonly usages: readonly number[]
}

function reportOf({ host, tlsa, names, usages }: Asked, peer: TlsPeer | TlsFailure): DialReport {
  const { baseDomain, records } = tlsa
  const known = { host, baseDomain, records: records.map(formatTlsa), names }
  if (peer.kind === 'failed') return { ...known, verified: false, reason: peer.error }
  const { address, protocol, chain } = peer
  const seen = { ...known, address, protocol, certificates: chain.length }
  const result = verifyDane(records, chain, { names, usages, now: systemClock.now(), roots: trustedRoots() })
  if (result.kind !== 'verified') return { ...seen, verified: false, reason: result.reason }
  const { record } = result
  return { ...seen, verified: true, record: formatTlsa(record), means: describeTlsa(record) }
}

/** The verdict, and what it is based on. */
export function reportText(report: DialReport): string {
  const { host, verified, reason = '', record, means, baseDomain, records = [], names = [] } = report
  const { address, protocol, certificates } = report
  const verdict = verified ? `verified by ${record} (${means})` : `not verified: ${printable(reason)}`
  const found = {
    ...(baseDomain !== undefined && {
      records: `${records.length} at ${baseDomain}`,
      names: names.join(', '),
    }),
    ...(address !== undefined && { server: `${address}, ${protocol}, certificates sent: ${certificates}` }),
  }
  const head = `${host}: ${verdict}`
  return Object.keys(found).length === 0 ? head : `${head}\n${fields(found).replace(/^/gm, '  ')}`
}
