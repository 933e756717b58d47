import { formatTlsa } from '../../../shared/dane/tlsa.ts'
import type { TlsAssociation } from '../../../shared/dns/resolver.ts'
import type { FakeZone } from '../fake-dns.ts'
import { associate } from '../tlsa.ts'
import type { Certificates } from './certificates.ts'
import type { MxScenario, ScenarioName, ZoneSecurity } from './scenario.ts'

/** Where a scenario is played. */
export interface Place {
  /** Its domain, of its own. */
  readonly domain: string
  /** Of all servers; each has an address of its own. */
  readonly port: number
  /** By host. */
  readonly addresses: ReadonlyMap<string, string>
}

interface Records {
  readonly A: readonly string[]
  readonly AAAA: readonly string[]
  readonly CNAME?: string
  readonly MX: readonly (readonly [number, string])[]
  readonly TXT: readonly string[]
  readonly TLSA: readonly TlsAssociation[]
}

/** A zone with its records; names are whole. */
interface PlacedZone {
  readonly security: ZoneSecurity
  readonly names: ReadonlyMap<string, Records>
}

/** The zones of a scenario by their names, all that belongs into the DNS in them. */
export function zonesOf(
  scenario: MxScenario,
  place: Place,
  certificates: Certificates,
): ReadonlyMap<string, PlacedZone> {
  const whole = (name: string) => wholeName(name, place)
  const securities = Object.entries({ '@': 'signed' as const, ...scenario.zones })
  const zones = new Map(
    securities.map(([name, security]) => [whole(name), { security, names: new Map<string, Records>() }]),
  )
  const longestFirst = [...zones.keys()].toSorted((one, other) => other.length - one.length)
  for (const name of namesOf(scenario)) {
    const at = whole(name)
    const origin = longestFirst.find((each) => at === each || at.endsWith(`.${each}`)) ?? ''
    zones.get(origin)?.names.set(at, recordsAt(name, scenario, place, certificates))
  }
  return zones
}

/** As a validating resolver would say it. */
export function fakeZoneOf(zones: ReadonlyMap<string, PlacedZone>): FakeZone {
  const bogus = { code: 6, name: 'dnssec bogus', text: '' }
  return Object.fromEntries(
    [...zones.values()].flatMap(({ security, names }) =>
      [...names].map(([name, { A, AAAA, CNAME, MX, TXT, TLSA }]) => {
        if (security === 'bogus') return [name, { fails: true, extended: bogus }]
        if (security === 'lame') return [name, { fails: true }]
        const records = { A: [...A], AAAA: [...AAAA], MX: [...MX], TXT: [...TXT], TLSA: [...TLSA] }
        return [name, { ...records, ...(CNAME && { CNAME }), authentic: security === 'signed' }]
      }),
    ),
  )
}

/** As lines of zone files (RFC 1035 §5.1), by zone. A zone within another is delegated there, without DS. */
export function zoneFilesOf(
  zones: ReadonlyMap<string, PlacedZone>,
): Readonly<Record<string, { readonly records: string; readonly dnssec: ZoneSecurity }>> {
  return Object.fromEntries(
    [...zones].map(([origin, { security, names }]) => {
      const within = [...zones.keys()].filter((each) => each.endsWith(`.${origin}`))
      const lines = [
        ...within.map((each) => `${each}. NS ns.${origin}.`),
        ...[...names].flatMap(([name, records]) => linesOf(records).map((line) => `${name}. ${line}`)),
      ]
      return [origin, { records: lines.join('\n'), dnssec: security }]
    }),
  )
}

function linesOf({ A, AAAA, CNAME, MX, TXT, TLSA }: Records): readonly string[] {
  return [
    ...A.map((address) => `A ${address}`),
    ...AAAA.map((address) => `AAAA ${address}`),
    ...(CNAME ? [`CNAME ${CNAME}.`] : []),
    ...MX.map(([preference, exchange]) => `MX ${preference} ${exchange === '.' ? '' : exchange}.`),
    ...TXT.map((text) => `TXT "${text}"`),
    ...TLSA.map((record) => `TLSA ${formatTlsa(record)}`),
  ]
}

function namesOf({ names = usualNames, servers = usualServers, tlsa = {}, policy }: MxScenario): Set<string> {
  return new Set([
    ...Object.keys(names),
    ...Object.keys(servers),
    ...Object.keys(tlsa).map(tlsaName),
    ...(policy ? ['_mta-sts'] : []),
  ])
}

const usualNames: Readonly<Record<string, ScenarioName>> = { '@': { MX: [[10, 'mx']] } }
const usualServers = { mx: {} }

function recordsAt(
  name: string,
  { names = usualNames, servers = usualServers, tlsa = {}, policy }: MxScenario,
  { domain, port, addresses }: Place,
  certificates: Certificates,
): Records {
  const { CNAME, MX = [], A = [], TXT = [] } = names[name] ?? {}
  const place = { domain, port, addresses }
  const served = name in servers ? (addresses.get(name) ?? '') : ''
  const [, records = []] = Object.entries(tlsa).find(([host]) => tlsaName(host) === name) ?? []
  const hasRecord = name === '_mta-sts' && policy !== undefined && names[name] === undefined
  return {
    A: [...A.map((host) => addresses.get(host) ?? ''), ...(served.includes('.') ? [served] : [])],
    AAAA: served.includes(':') ? [served] : [],
    ...(CNAME !== undefined && { CNAME: wholeName(CNAME, place) }),
    MX: MX.map(([preference, exchange]) => [preference, exchange === '.' ? '.' : wholeName(exchange, place)]),
    TXT: hasRecord ? ['v=STSv1; id=one'] : TXT,
    TLSA: records.map((text) => readTlsa(text, certificates)),
  }
}

function tlsaName(host: string): string {
  return host === '@' ? '_port._tcp' : `_port._tcp.${host}`
}

/** The name in the DNS; one that ends with a dot is whole already. */
export function wholeName(name: string, { domain, port }: Pick<Place, 'domain' | 'port'>): string {
  if (name.endsWith('.')) return name.slice(0, -1)
  if (/^(?:\*\.)?@$/.test(name)) return name.replace('@', domain)
  return `${name.replace('_port', `_${port}`)}.${domain}`
}

function readTlsa(text: string, certificates: Certificates): TlsAssociation {
  const [, usage, selector, matchingType, of = ''] = /^(\d+) (\d+) (\d+) (.+)$/.exec(text) ?? []
  const parameters = [Number(usage), Number(selector), Number(matchingType)] as const
  if (!of.startsWith('#')) return associate(...parameters, certificates(of))
  const data = new Uint8Array(Buffer.from(of.slice(1), 'hex'))
  return { usage: parameters[0], selector: parameters[1], matchingType: parameters[2], data }
}
