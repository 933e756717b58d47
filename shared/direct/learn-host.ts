import { SECOND } from '../base/clock.ts'
import { daneHost, type FoundTlsa, findTlsa } from '../dane/find-tlsa.ts'
import { referenceNames } from '../dane/reference-names.ts'
import { describeTlsa, smtpUsages, whyUnusable } from '../dane/tlsa.ts'
import { findHostAddresses, type HostAddresses } from '../destination/find-host-addresses.ts'
import { extendedErrorReason } from '../dns/extended-error.ts'
import type { DnsFailure } from '../dns/resolver.ts'
import type { DaneFact } from '../transport-security/decide-tls.ts'
import type { DirectAttempt } from './direct-attempt.ts'
import type { Route } from './find-route.ts'
import { earlierAddresses, familyOf, orderAddresses } from './order-addresses.ts'
import { inTime } from './time-limit.ts'

/** What the DNS says of a host. */
export interface KnownHost {
  readonly kind: 'known'
  readonly host: string
  /** Those that may be connected to, at least one, in the order in which to try them. */
  readonly ipAddresses: readonly string[]
  /** It can be reached by both families, and this attempt may use either. */
  readonly isDualStack: boolean
  readonly dane: DaneFact
  /** Its TLSA records, usable or not. */
  readonly tlsa?: FoundTlsa
  /** The names that its certificate may be for; what SNI asks for comes first. */
  readonly names: readonly string[]
}

interface UnknownHost {
  readonly kind: 'unknown'
  /** The domain has no MX and is no host either, which is an error at once (RFC 5321 §5.1). */
  readonly isForGood?: boolean
  readonly error: string
}

const LONGEST_MS = 30 * SECOND
/** RFC 5321 §4.5.4.1 leaves the number to us; each costs a part of the time for connecting. */
const MOST_ADDRESSES = 10

/** Looks up a host: addresses first, since some servers of zones without DNSSEC fail at questions for TLSA (RFC 7672 §2.2.2). */
export async function learnHost(
  attempt: DirectAttempt,
  route: Route,
  host: string,
): Promise<KnownHost | UnknownHost> {
  const { wait } = attempt.ports
  const known = await inTime(wait, LONGEST_MS, attempt.signal, () => learn(attempt, route, host))
  return known ?? { kind: 'unknown', error: `looking up ${host} took too long` }
}

async function learn(
  attempt: DirectAttempt,
  { mailHosts }: Route,
  host: string,
): Promise<KnownHost | UnknownHost> {
  const { ports, notes } = attempt
  if (mailHosts === undefined)
    return knownHost(attempt, host, [host], { dane: { kind: 'none' }, names: [host] })
  const where = await findHostAddresses(ports.resolver, host)
  if (where.kind !== 'found') {
    const reason = where.kind === 'failed' ? extendedErrorReason(where) : undefined
    if (reason) notes.noAddresses(host, { resultType: 'validation-failure', text: where.error, reason })
    const isForGood = where.kind === 'no-address' && !mailHosts.hasMx
    return { kind: 'unknown', isForGood, error: where.error }
  }
  return knownHost(attempt, host, where.addresses, await learnDane(attempt, mailHosts, where))
}

type KnownDane = Pick<KnownHost, 'dane' | 'tlsa' | 'names'>

async function learnDane(
  { ports }: DirectAttempt,
  mailHosts: NonNullable<Route['mailHosts']>,
  where: HostAddresses,
): Promise<KnownDane> {
  const { host } = where
  const asked = daneHost(mailHosts, where)
  const tlsa = asked && (await findTlsa(ports.resolver, asked, ports.port ?? 25))
  if (tlsa?.kind === 'failed') {
    return { dane: { kind: 'failed', failure: lookupFailure(host, tlsa) }, names: [host] }
  }
  if (asked === undefined || tlsa?.kind !== 'found') return { dane: { kind: 'none' }, names: [host] }
  return { dane: daneFact(tlsa), tlsa, names: referenceNames(mailHosts, asked, tlsa.baseDomain) }
}

function daneFact({ records }: FoundTlsa): DaneFact {
  const problems = records.map((record) => ({ record, problem: whyUnusable(record, smtpUsages) }))
  if (problems.some(({ problem }) => problem === undefined)) return { kind: 'usable' }
  const reasons = problems.slice(0, 4).map(({ record, problem }) => `${describeTlsa(record)}: ${problem}`)
  return { kind: 'unusable', reason: reasons.join('; ') }
}

function lookupFailure(host: string, failure: DnsFailure) {
  const reason = extendedErrorReason(failure)
  const resultType = reason ? 'dnssec-invalid' : 'tlsa-invalid'
  const text = `whether ${host} has TLSA records is not known: ${failure.error}`
  return { resultType, text, reason: reason ?? 'dns-lookup' } as const
}

function knownHost(
  attempt: DirectAttempt,
  host: string,
  addresses: readonly string[],
  dane: KnownDane,
): KnownHost | UnknownHost {
  const { ports, request } = attempt
  const mayUse = familiesOf(attempt)
  const ofFamily = addresses.filter((address) => mayUse.includes(familyOf(address)))
  if (ofFamily.length === 0) {
    return { kind: 'unknown', error: `the host ${host} has no IPv${mayUse.join(' or IPv')} address` }
  }
  const reachable = ofFamily.filter((address) => ports.whyNotReachable(address) === undefined)
  const [refused = ''] = ofFamily
  if (reachable.length === 0) {
    const why = `${refused} ${ports.whyNotReachable(refused)}`
    return { kind: 'unknown', error: `no address of the host ${host} may be connected to: ${why}` }
  }
  const [message] = request.messages
  const earlier = message ? earlierAddresses(message, host) : []
  return {
    kind: 'known',
    host,
    ipAddresses: orderAddresses(reachable, earlier).slice(0, MOST_ADDRESSES),
    isDualStack: new Set(reachable.map(familyOf)).size === 2,
    ...dane,
  }
}

/** The families that the transport uses; a proxy has those of its own addresses. */
function familiesOf({ request: { transport } }: DirectAttempt): readonly (4 | 6)[] {
  if (transport.kind === 'direct') return transport.onlyFamily ? [transport.onlyFamily] : [4, 6]
  const families = [...new Set(transport.ipAddresses.map(familyOf))]
  return families.length > 0 ? families : [4, 6]
}
