import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daneHost, findTlsa } from '../../../shared/dane/find-tlsa.ts'
import { referenceNames } from '../../../shared/dane/reference-names.ts'
import { findHostAddresses } from '../../../shared/destination/find-host-addresses.ts'
import { findMailHosts } from '../../../shared/destination/find-mail-hosts.ts'
import type { TlsAssociation } from '../../../shared/dns/resolver.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const record = (octet: number): TlsAssociation => ({
  usage: 3,
  selector: 1,
  matchingType: 1,
  data: new Uint8Array(32).fill(octet),
})
const [own, real] = [record(1), record(2)]
const OWN = '_25._tcp.mx.example'
const REAL = '_25._tcp.real.example'

const host = { host: 'mx.example', expandedHost: 'mx.example', expandedAuthentic: true }
const alias = { ...host, expandedHost: 'real.example' }
const insecureAlias = { ...alias, expandedAuthentic: false }
const foundOwn = { kind: 'found', baseDomain: 'mx.example', records: [own] }
const foundReal = { kind: 'found', baseDomain: 'real.example', records: [real] }
const none = { kind: 'none', authentic: true }
const insecure = { kind: 'none', authentic: false }

const both = { [OWN]: { TLSA: [own] }, [REAL]: { TLSA: [real] } }
const questions: readonly (readonly [rule: string, FakeZone, typeof host, expected: object])[] = [
  ['records at the host', both, host, foundOwn],
  ['RFC 7671 §7: records where the CNAMEs of the host lead come first', both, alias, foundReal],
  ['RFC 7671 §7: without them, records at the host', { [OWN]: { TLSA: [own] } }, alias, foundOwn],
  ['RFC 7672 §2.2.3: with insecure CNAMEs, records at the host only', both, insecureAlias, foundOwn],
  [
    'RFC 7672 §2.2.3: with insecure CNAMEs, none elsewhere',
    { [REAL]: { TLSA: [real] } },
    insecureAlias,
    none,
  ],
  ['none at all', {}, alias, none],
  [
    'RFC 7671 §6: the TLSA name may be an alias',
    { [OWN]: { CNAME: 'tlsa.example' }, 'tlsa.example': { TLSA: [own] } },
    host,
    foundOwn,
  ],
  ['RFC 7671 §6: an alias of nothing has none', { [OWN]: { CNAME: 'tlsa.example' } }, host, none],
  [
    'RFC 7671 §6: an alias without dnssec has none',
    { [OWN]: { CNAME: 'tlsa.example', authentic: false }, 'tlsa.example': { TLSA: [own] } },
    host,
    insecure,
  ],
  [
    'RFC 7671 §6: after an alias without dnssec the host itself is asked',
    {
      [REAL]: { CNAME: 'tlsa.example', authentic: false },
      'tlsa.example': { TLSA: [real] },
      [OWN]: { TLSA: [own] },
    },
    alias,
    foundOwn,
  ],
  [
    'RFC 7672 §2.2: records without dnssec count for nothing',
    { [OWN]: { TLSA: [own], authentic: false } },
    host,
    insecure,
  ],
  [
    'RFC 7672 §2.1.2: a failure is no lack of records',
    { [OWN]: { fails: true } },
    host,
    { kind: 'failed', error: `TLSA ${OWN}: SERVFAIL` },
  ],
  [
    'RFC 7672 §2.1.2: a failure where the CNAMEs lead does not fall back',
    { [REAL]: { fails: true }, [OWN]: { TLSA: [own] } },
    alias,
    { kind: 'failed', error: `TLSA ${REAL}: SERVFAIL` },
  ],
  [
    'RFC 7672 §2.1.2: an alias whose target fails is a failure',
    { [OWN]: { CNAME: 'tlsa.example' }, 'tlsa.example': { fails: true } },
    host,
    { kind: 'failed', error: 'TLSA tlsa.example: SERVFAIL' },
  ],
  [
    'RFC 7672 §2.1.2: aliases in a circle are a failure',
    { [OWN]: { CNAME: OWN } },
    host,
    { kind: 'failed', error: `TLSA ${OWN}: the CNAMEs lead in a circle` },
  ],
]

for (const [rule, zone, asked, expected] of questions) {
  test(`TLSA: ${rule}`, async () => {
    assert.deepEqual(await findTlsa(fakeDns(zone), asked, 25), expected)
  })
}

/** From a recipient's domain to the TLSA records and the names, as a delivery goes; '' where nothing is asked. */
async function gather(zone: FakeZone): Promise<string> {
  const resolver = fakeDns(zone)
  const mailHosts = await findMailHosts({ resolver, random: seededRandom() }, 'to.example')
  assert.ok(mailHosts.kind === 'found')
  const addresses = await findHostAddresses(resolver, mailHosts.hosts[0] ?? '')
  assert.ok(addresses.kind === 'found')
  const asked = daneHost(mailHosts, addresses)
  if (asked === undefined) {
    assert.ok(!resolver.asked.some((question) => question.startsWith('TLSA')))
    return ''
  }
  const tlsa = await findTlsa(resolver, asked, 25)
  return tlsa.kind === 'found' ? referenceNames(mailHosts, asked, tlsa.baseDomain).join(' ') : tlsa.kind
}

const mx: FakeZone[string] = { MX: [[10, 'mx.example']] }
const at = { A: ['192.0.2.1'] }
const insecurely = { authentic: false }

const names: readonly (readonly [rule: string, FakeZone, expected: string])[] = [
  [
    '§3.2.2: an MX may have the name of the recipient’s domain',
    { 'to.example': mx, 'mx.example': at, ...both },
    'mx.example to.example',
  ],
  [
    '§3.2.2: and that of what the domain is an alias of',
    { 'to.example': { CNAME: 'via.example' }, 'via.example': mx, 'mx.example': at, ...both },
    'mx.example to.example via.example',
  ],
  [
    '§3.2.2: an MX that is an alias has its real name first',
    { 'to.example': mx, 'mx.example': { CNAME: 'real.example' }, 'real.example': at, ...both },
    'real.example mx.example to.example',
  ],
  [
    '§2.2.2: an MX that is an alias of a name without dnssec has records at its own name',
    {
      'to.example': mx,
      'mx.example': { CNAME: 'real.example' },
      'real.example': { ...at, ...insecurely },
      ...both,
    },
    'mx.example to.example',
  ],
  [
    '§2.2.2: a domain without MX stands for itself',
    { 'to.example': at, '_25._tcp.to.example': { TLSA: [own] } },
    'to.example',
  ],
  [
    '§3.2.2: a domain without MX that is an alias has both names',
    { 'to.example': { CNAME: 'real.example' }, 'real.example': at, ...both },
    'real.example to.example',
  ],
  [
    '§2.2.2: a domain without MX that is an alias has records at its own name, where its target has none',
    { 'to.example': { CNAME: 'real.example' }, 'real.example': at, '_25._tcp.to.example': { TLSA: [own] } },
    'to.example',
  ],
  [
    '§2.2.2: a domain without MX is not led astray by an alias without dnssec',
    {
      'to.example': { CNAME: 'via.example' },
      'via.example': { CNAME: 'real.example', ...insecurely },
      'real.example': at,
      ...both,
    },
    'none',
  ],
  [
    '§2.2.2: a domain without MX that is an alias of a name without dnssec has records at its own name',
    {
      'to.example': { CNAME: 'real.example' },
      'real.example': { ...at, ...insecurely },
      '_25._tcp.to.example': { TLSA: [own] },
      ...both,
    },
    'to.example',
  ],
  [
    '§2.2.2: a domain without MX whose alias is without dnssec is not asked, whatever it is an alias of',
    {
      'to.example': { CNAME: 'real.example', ...insecurely },
      'real.example': at,
      '_25._tcp.to.example': { TLSA: [own] },
      ...both,
    },
    '',
  ],
  [
    '§2.2.1: MX without dnssec are not asked',
    { 'to.example': { ...mx, ...insecurely }, 'mx.example': at, ...both },
    '',
  ],
  [
    '§2.2.1: MX behind an alias without dnssec are not asked',
    {
      'to.example': { CNAME: 'via.example' },
      'via.example': { ...mx, ...insecurely },
      'mx.example': at,
      ...both,
    },
    '',
  ],
  [
    '§2.2.2: an MX whose address is without dnssec is not asked, whatever its TLSA records',
    { 'to.example': mx, 'mx.example': { ...at, ...insecurely }, ...both },
    '',
  ],
  [
    '§2.2.2: a domain without MX whose address is without dnssec is not asked',
    { 'to.example': { ...at, ...insecurely }, '_25._tcp.to.example': { TLSA: [own] } },
    '',
  ],
  [
    '§2.1.2: an MX whose TLSA question fails must not be used',
    { 'to.example': mx, 'mx.example': at, [OWN]: { fails: true } },
    'failed',
  ],
]

for (const [rule, zone, expected] of names) {
  test(`RFC 7672 ${rule}`, async () => {
    assert.equal(await gather(zone), expected)
  })
}

test('RFC 7672 §3.2.2: the recipient’s domain counts only where DNSSEC vouches for its MX', () => {
  const mailHosts = {
    kind: 'found',
    nextHop: 'to.example',
    expandedNextHop: 'via.example',
    hasMx: true,
    hosts: ['mx.example'],
    originalAuthentic: true,
    expandedAuthentic: false,
  } as const
  assert.deepEqual(referenceNames(mailHosts, host, 'mx.example'), ['mx.example'])
})
