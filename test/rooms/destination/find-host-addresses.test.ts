import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findHostAddresses } from '../../../shared/destination/find-host-addresses.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { insecureType } from '../../support/insecure-type.ts'

const find = async (zone: FakeZone) => await findHostAddresses(fakeDns(zone), 'mx.example')
const [v4, v6] = ['192.0.2.1', '2001:db8::1']
const alias = { 'mx.example': { CNAME: 'real.example' } }

const found: readonly (readonly [
  rule: string,
  FakeZone,
  addresses: readonly string[],
  expandedHost: string,
  authentic: boolean,
  expandedAuthentic: boolean,
])[] = [
  ['IPv4 only', { 'mx.example': { A: [v4] } }, [v4], 'mx.example', true, true],
  ['IPv6 only', { 'mx.example': { AAAA: [v6] } }, [v6], 'mx.example', true, true],
  ['IPv4 before IPv6', { 'mx.example': { AAAA: [v6], A: [v4] } }, [v4, v6], 'mx.example', true, true],
  ['an alias', { ...alias, 'real.example': { A: [v4] } }, [v4], 'real.example', true, true],
  [
    'RFC 7672 §2.2.2: an address without dnssec',
    { 'mx.example': { A: [v4], authentic: false } },
    [v4],
    'mx.example',
    false,
    false,
  ],
  [
    'RFC 7672 §2.2.2: a first CNAME without dnssec',
    { 'mx.example': { CNAME: 'real.example', authentic: false }, 'real.example': { A: [v4] } },
    [v4],
    'real.example',
    false,
    false,
  ],
  [
    'RFC 7672 §2.2.2: a second CNAME without dnssec leaves the host’s own name authentic',
    { ...alias, 'real.example': { CNAME: 'x.example', authentic: false }, 'x.example': { A: [v4] } },
    [v4],
    'x.example',
    true,
    false,
  ],
  [
    'RFC 7672 §2.2.2: an address without dnssec behind a CNAME leaves the host’s own name authentic',
    { ...alias, 'real.example': { A: [v4], authentic: false } },
    [v4],
    'real.example',
    true,
    false,
  ],
]

for (const [rule, zone, addresses, expandedHost, authentic, expandedAuthentic] of found) {
  test(`addresses of a host: ${rule}`, async () => {
    const expected = {
      kind: 'found',
      host: 'mx.example',
      expandedHost,
      addresses,
      authentic,
      expandedAuthentic,
    }
    assert.deepEqual(await find(zone), expected)
  })
}

const others: readonly (readonly [rule: string, FakeZone, object])[] = [
  ['a host that does not exist', {}, { kind: 'no-address', error: 'the host mx.example does not exist' }],
  ['an alias of nothing', alias, { kind: 'no-address', error: 'the host real.example does not exist' }],
  [
    'a host without address',
    { 'mx.example': { TXT: ['x'] } },
    { kind: 'no-address', error: 'the host mx.example has no address' },
  ],
  [
    'CNAMEs in a circle',
    { ...alias, 'real.example': { CNAME: 'mx.example' } },
    { kind: 'failed', error: 'CNAME mx.example: the CNAMEs lead in a circle' },
  ],
  [
    'more than 10 CNAMEs',
    Object.fromEntries(
      ['mx', ...Array.from({ length: 10 }, (_, at) => `l${at}`)].map((label, at) => [
        `${label}.example`,
        { CNAME: `l${at}.example` },
      ]),
    ),
    { kind: 'failed', error: 'CNAME mx.example: more than 10 CNAMEs' },
  ],
  [
    'a CNAME that fails',
    { 'mx.example': { fails: ['CNAME'], A: [v4] } },
    { kind: 'failed', error: 'CNAME mx.example: SERVFAIL' },
  ],
  [
    'addresses that fail',
    { 'mx.example': { fails: ['A'] } },
    { kind: 'failed', error: 'A mx.example: SERVFAIL' },
  ],
]

for (const [rule, zone, expected] of others) {
  test(`addresses of a host: ${rule}`, async () => {
    assert.deepEqual(await find(zone), expected)
  })
}

for (const [rule, zone, authentic] of [
  ['a host’s own name is without dnssec where its address is', { 'mx.example': { A: [v4] } }, false],
  ['a host’s own name is not, where it is an alias', { ...alias, 'real.example': { A: [v4] } }, true],
] as const satisfies readonly (readonly [string, FakeZone, boolean])[]) {
  test(`RFC 7672 §2.2.2: ${rule}`, async () => {
    const resolver = insecureType(fakeDns(zone), 'A')
    const addresses = await findHostAddresses(resolver, 'mx.example')
    assert.ok(addresses.kind === 'found')
    assert.deepEqual([addresses.authentic, addresses.expandedAuthentic], [authentic, false])
  })
}
