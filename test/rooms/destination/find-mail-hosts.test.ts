import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findMailHosts } from '../../../shared/destination/find-mail-hosts.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { insecureType } from '../../support/insecure-type.ts'
import { seededRandom } from '../../support/seeded-random.ts'

async function find(zone: FakeZone, domain = 'a.example') {
  return await findMailHosts({ resolver: fakeDns(zone), random: seededRandom(1) }, domain)
}

/** The zone as it is, and with nothing of it authentic. */
function bothWays(zone: FakeZone): readonly (readonly [FakeZone, boolean])[] {
  const insecure = Object.entries(zone).map(([name, here]) => [name, { ...here, authentic: false }])
  return [
    [zone, true],
    [{ ...Object.fromEntries(insecure), example: { authentic: false } }, false],
  ]
}

const self = { expandedNextHop: 'a.example' }
const alias = { 'a.example': { CNAME: 'b.example' } }
const chain = (links: number) =>
  Object.fromEntries(
    Array.from({ length: links }, (_, at) => [
      at === 0 ? 'a.example' : `l${at}.example`,
      { CNAME: `l${at + 1}.example` },
    ]),
  )

const found: readonly (readonly [
  rule: string,
  FakeZone,
  { hosts: string[]; hasMx: boolean; expandedNextHop: string },
])[] = [
  ['one MX', { 'a.example': { MX: [[10, 'mx.example']] } }, { ...self, hasMx: true, hosts: ['mx.example'] }],
  [
    '§5.1: the lowest preference comes first',
    {
      'a.example': {
        MX: [
          [20, 'second.example'],
          [10, 'first.example'],
          [20, 'second.example'],
        ],
      },
    },
    { ...self, hasMx: true, hosts: ['first.example', 'second.example'] },
  ],
  [
    '§5.1: no MX but an address',
    { 'a.example': { A: ['192.0.2.1'] } },
    { ...self, hasMx: false, hosts: ['a.example'] },
  ],
  [
    '§5.1: no MX but an IPv6 address',
    { 'a.example': { AAAA: ['::1'] } },
    { ...self, hasMx: false, hosts: ['a.example'] },
  ],
  ['a domain that does not exist', {}, { ...self, hasMx: false, hosts: ['a.example'] }],
  [
    '§5.1: the MX of what the domain is an alias of',
    { ...alias, 'b.example': { MX: [[10, 'mx.example']] } },
    { expandedNextHop: 'b.example', hasMx: true, hosts: ['mx.example'] },
  ],
  ['an alias of nothing', alias, { expandedNextHop: 'b.example', hasMx: false, hosts: ['b.example'] }],
  [
    '16 CNAMEs',
    { ...chain(16), 'l16.example': { MX: [[10, 'mx.example']] } },
    { expandedNextHop: 'l16.example', hasMx: true, hosts: ['mx.example'] },
  ],
  [
    'RFC 7505 §3: a null MX beside others counts for nothing',
    {
      'a.example': {
        MX: [
          [0, '.'],
          [10, 'mx.example'],
        ],
      },
    },
    { ...self, hasMx: true, hosts: ['mx.example'] },
  ],
]

for (const [rule, zone, expected] of found) {
  for (const [each, authentic] of bothWays(zone)) {
    test(`RFC 5321: ${rule} (${authentic ? 'with' : 'without'} dnssec)`, async () => {
      assert.deepEqual(await find(each), {
        kind: 'found',
        nextHop: 'a.example',
        ...expected,
        originalAuthentic: authentic,
        expandedAuthentic: authentic,
      })
    })
  }
}

const authenticity: readonly (readonly [rule: string, FakeZone, original: boolean, expanded: boolean])[] = [
  [
    'a first CNAME without dnssec leaves nothing authentic',
    { 'a.example': { CNAME: 'b.example', authentic: false }, 'b.example': { MX: [[1, 'mx.example']] } },
    false,
    false,
  ],
  [
    'a second CNAME without dnssec leaves the domain itself authentic',
    {
      ...alias,
      'b.example': { CNAME: 'c.example', authentic: false },
      'c.example': { MX: [[1, 'mx.example']] },
    },
    true,
    false,
  ],
  [
    'MX without dnssec behind a CNAME leave the domain itself authentic',
    { ...alias, 'b.example': { MX: [[1, 'mx.example']], authentic: false } },
    true,
    false,
  ],
]

for (const [rule, zone, originalAuthentic, expandedAuthentic] of authenticity) {
  test(`RFC 7672 §2.2.1: ${rule}`, async () => {
    const hosts = await find(zone)
    assert.ok(hosts.kind === 'found')
    assert.deepEqual(
      { originalAuthentic: hosts.originalAuthentic, expandedAuthentic: hosts.expandedAuthentic },
      { originalAuthentic, expandedAuthentic },
    )
  })
}

test('RFC 7672 §2.2.1: MX without dnssec are not authentic, although it is known that there is no CNAME', async () => {
  const resolver = insecureType(fakeDns({ 'a.example': { MX: [[1, 'mx.example']] } }), 'MX')
  const hosts = await findMailHosts({ resolver, random: seededRandom() }, 'a.example')
  assert.ok(hosts.kind === 'found')
  assert.deepEqual([hosts.originalAuthentic, hosts.expandedAuthentic], [false, false])
})

test('RFC 7505: a null MX takes no mail', async () => {
  assert.deepEqual(await find({ 'a.example': { MX: [[0, '.']] } }), {
    kind: 'no-mail',
    error: 'a.example does not accept mail: its MX is null (RFC 7505)',
  })
})

const bogus = { code: 6, name: 'dnssec bogus', text: '' }
const failures: readonly (readonly [rule: string, FakeZone, error: string])[] = [
  ['17 CNAMEs', chain(17), 'CNAME a.example: more than 16 CNAMEs'],
  [
    'CNAMEs in a circle',
    { ...alias, 'b.example': { CNAME: 'a.example' } },
    'CNAME a.example: the CNAMEs lead in a circle',
  ],
  [
    'an alias of itself',
    { 'a.example': { CNAME: 'a.example' } },
    'CNAME a.example: the CNAMEs lead in a circle',
  ],
  ['MX that fail', { 'a.example': { fails: ['MX'] } }, 'MX a.example: SERVFAIL'],
  ['a CNAME that fails', { 'a.example': { fails: ['CNAME'] } }, 'CNAME a.example: SERVFAIL'],
  ['a second CNAME that fails', { ...alias, 'b.example': { fails: ['CNAME'] } }, 'CNAME b.example: SERVFAIL'],
]

for (const [rule, zone, error] of failures) {
  test(`RFC 5321 §5.1: ${rule} say nothing about the domain`, async () => {
    assert.deepEqual(await find(zone), { kind: 'failed', error })
  })
}

test('RFC 8914: a failure says what the resolver said of signatures', async () => {
  const hosts = await find({ 'a.example': { fails: ['MX'], extended: bogus } })
  assert.deepEqual(hosts, { kind: 'failed', error: 'MX a.example: SERVFAIL', extended: bogus })
})

test('RFC 5321 §5.1: hosts of equal preference come in any order, behind those of a lower one', async () => {
  const MX = [
    [10, 'a'],
    [10, 'b'],
    [5, 'first'],
    [10, 'c'],
  ] as const
  const resolver = fakeDns({ 'a.example': { MX: [...MX] } })
  const orders = await Promise.all(
    Array.from({ length: 60 }, async (_, seed) => {
      const hosts = await findMailHosts({ resolver, random: seededRandom(seed) }, 'a.example')
      return hosts.kind === 'found' ? hosts.hosts.join(' ') : hosts.kind
    }),
  )
  assert.deepEqual([...new Set(orders)].toSorted(), [
    'first a b c',
    'first a c b',
    'first b a c',
    'first b c a',
    'first c a b',
    'first c b a',
  ])
})

const ours = 'our.example'
const loops: readonly (readonly [rule: string, FakeZone, expected: readonly string[] | 'loop'])[] = [
  ['our name is the only MX', { 'a.example': { MX: [[10, ours]] } }, 'loop'],
  [
    'our name has no MX, but an address',
    { 'a.example': { CNAME: ours }, [ours]: { A: ['192.0.2.1'] } },
    'loop',
  ],
  [
    'hosts of our preference and of worse ones are left out',
    {
      'a.example': {
        MX: [
          [5, 'better.example'],
          [10, ours],
          [10, 'same.example'],
          [20, 'worse.example'],
        ],
      },
    },
    ['better.example'],
  ],
  [
    'other hosts of our preference do not help',
    {
      'a.example': {
        MX: [
          [10, ours],
          [10, 'same.example'],
        ],
      },
    },
    'loop',
  ],
]

for (const [rule, zone, expected] of loops) {
  test(`RFC 5321 §5.1: ${rule}`, async () => {
    const ports = { resolver: fakeDns(zone), random: seededRandom(1) }
    const hosts = await findMailHosts(ports, 'a.example', ours)
    assert.deepEqual(hosts.kind === 'found' ? hosts.hosts : hosts.kind, expected)
  })
}
