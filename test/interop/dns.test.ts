import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type DnsLab, dnsLab, whyNoDnsLab } from '../../scripts/labs/dns-lab.ts'
import { dnsConfiguration } from '../../shared/adapters/net/dns-configuration.ts'
import { dnsResolver } from '../../shared/adapters/net/dns-resolver.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import type { DnsRecordType, Resolver } from '../../shared/dns/resolver.ts'
import { runPostern } from '../cli/admin-server.ts'

const skip = whyNoDnsLab()
const records = `
  www A 192.0.2.1
  www AAAA 2001:db8::1
  @ MX 10 mx
  @ MX 20 other.example.
  null MX 0 .
  text TXT "one" "two"
  long TXT ${Array.from({ length: 12 }, () => `"${'x'.repeat(250)}"`).join(' ')}
  _25._tcp.mx TLSA 3 1 1 ${'ab'.repeat(32)}
  _submission._tcp SRV 0 1 587 mx
  here CNAME www
  there CNAME www.unsigned.test.
  *.wild A 192.0.2.9
`
const zones = {
  'signed.test': { records, dnssec: 'signed' },
  'unsigned.test': { records: `${records}\nsigned CNAME www.signed.test.`, dnssec: 'unsigned' },
  'bogus.test': { records, dnssec: 'bogus' },
  '2.0.192.in-addr.arpa': { records: '1 CNAME 1.0/25\n1.0/25 PTR www.signed.test.', dnssec: 'signed' },
} as const

let lab: DnsLab
let resolver: Resolver
before(async () => {
  if (skip) return
  lab = await dnsLab(zones)
  resolver = resolverOf(false)
})
after(async () => await lab?.stop())

function resolverOf(distrusted: boolean): Resolver {
  const configuration = dnsConfiguration({ servers: lab.address, trustsAd: false })
  const isTrusted = configuration.isTrusted && !distrusted
  return dnsResolver({ ...configuration, isTrusted }, { clock: systemClock, random: systemRandom })
}

const found = (values: readonly unknown[], canonicalName: string, authentic: boolean) => ({
  kind: 'found',
  values,
  canonicalName,
  authentic,
})

const answers: readonly (readonly [type: DnsRecordType, name: string, expected: object])[] = [
  ['A', 'www.signed.test', found(['192.0.2.1'], 'www.signed.test', true)],
  ['A', 'WWW.Signed.Test', found(['192.0.2.1'], 'www.signed.test', true)],
  ['AAAA', 'www.signed.test', found(['2001:db8::1'], 'www.signed.test', true)],
  ['TXT', 'text.signed.test', found(['onetwo'], 'text.signed.test', true)],
  ['TXT', 'long.signed.test', found(['x'.repeat(3000)], 'long.signed.test', true)],
  ['MX', 'null.signed.test', found([{ preference: 0, exchange: '.' }], 'null.signed.test', true)],
  ['NS', 'signed.test', found(['ns.signed.test'], 'signed.test', true)],
  [
    'SRV',
    '_submission._tcp.signed.test',
    found(
      [{ priority: 0, weight: 1, port: 587, target: 'mx.signed.test' }],
      '_submission._tcp.signed.test',
      true,
    ),
  ],
  [
    'TLSA',
    '_25._tcp.mx.signed.test',
    found(
      [{ usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32).fill(0xab) }],
      '_25._tcp.mx.signed.test',
      true,
    ),
  ],
  ['PTR', '1.2.0.192.in-addr.arpa', found(['www.signed.test'], '1.0/25.2.0.192.in-addr.arpa', true)],
  ['A', 'any.wild.signed.test', found(['192.0.2.9'], 'any.wild.signed.test', true)],
  ['A', 'here.signed.test', found(['192.0.2.1'], 'www.signed.test', true)],
  ['CNAME', 'here.signed.test', found(['www.signed.test'], 'here.signed.test', true)],
  ['A', 'there.signed.test', found(['192.0.2.1'], 'www.unsigned.test', false)],
  ['CNAME', 'there.signed.test', found(['www.unsigned.test'], 'there.signed.test', true)],
  ['A', 'signed.unsigned.test', found(['192.0.2.1'], 'www.signed.test', false)],
  ['A', 'www.unsigned.test', found(['192.0.2.1'], 'www.unsigned.test', false)],
  ['A', 'nobody.signed.test', { kind: 'no-name', authentic: true }],
  ['MX', 'www.signed.test', { kind: 'no-data', authentic: true }],
  ['A', 'nobody.unsigned.test', { kind: 'no-name', authentic: false }],
  ['MX', 'www.unsigned.test', { kind: 'no-data', authentic: false }],
  ['MX', 'here.signed.test', { kind: 'no-data', authentic: true }],
]

for (const [type, name, expected] of answers) {
  test(`unbound and nsd: ${type} ${name} is ${JSON.stringify(expected).slice(0, 60)}`, { skip }, async () => {
    assert.deepEqual(await resolver.lookUp(type, name), expected)
  })
}

test('RFC 8914: a zone whose signatures are wrong fails, and unbound says why', { skip }, async () => {
  const answer = await resolver.lookUp('A', 'www.bogus.test')
  assert.ok(answer.kind === 'failed')
  assert.deepEqual([answer.extended?.code, answer.extended?.name], [6, 'dnssec bogus'])
  assert.match(answer.error, /^A www\.bogus\.test: SERVFAIL: dnssec bogus, .*validation failure/)
})

test('what unbound validated is not authentic to who does not trust it', { skip }, async () => {
  const answer = await resolverOf(true).lookUp('A', 'www.signed.test')
  assert.deepEqual(answer, found(['192.0.2.1'], 'www.signed.test', false))
})

const outputs = [
  ['signed.test', 0, '1 A record of www.signed.test, with dnssec\n  192.0.2.1\n'],
  ['unsigned.test', 0, '1 A record of www.unsigned.test, without dnssec\n  192.0.2.1\n'],
  ['bogus.test', 1, 'failed: A www.bogus.test: SERVFAIL: dnssec bogus'],
] as const

for (const [zone, exit, output] of outputs) {
  test(`postern dns lookup says which was which: ${zone}`, { skip }, async () => {
    const args = ['dns', 'lookup', 'a', `www.${zone}`, '--server', lab.address]
    const { status, stdout } = await runPostern(args)
    assert.deepEqual([status, stdout.slice(0, output.length)], [exit, output])
  })
}
