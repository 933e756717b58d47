import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IprevResult } from '../../../shared/authentication/authentication.ts'
import { checkIprev } from '../../../shared/authentication/iprev.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'

const REVERSE = '1.2.0.192.in-addr.arpa'
const REVERSE_IPV6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'

const names = (count: number) => Array.from({ length: count }, (_, at) => `n${at}.y.example`)

const cases: readonly (readonly [rule: string, ip: string, zone: FakeZone, expected: IprevResult])[] = [
  [
    'a name leads back',
    '192.0.2.1',
    { [REVERSE]: { PTR: ['m.y.example'] }, 'm.y.example': { A: ['192.0.2.9', '192.0.2.1'] } },
    { result: 'pass', name: 'm.y.example', authentic: true },
  ],
  [
    'the second name leads back',
    '192.0.2.1',
    {
      [REVERSE]: { PTR: ['gone.y.example', 'm.y.example'] },
      'm.y.example': { A: ['192.0.2.1'] },
    },
    { result: 'pass', name: 'm.y.example', authentic: true },
  ],
  [
    'a failure of another name does not matter, but takes the authenticity',
    '192.0.2.1',
    {
      [REVERSE]: { PTR: ['broken.y.example', 'm.y.example'] },
      'broken.y.example': { fails: true },
      'm.y.example': { A: ['192.0.2.1'] },
    },
    { result: 'pass', name: 'm.y.example', authentic: false },
  ],
  [
    'IPv6, however it is spelled',
    '2001:0DB8::0:1',
    { [REVERSE_IPV6]: { PTR: ['m.y.example'] }, 'm.y.example': { AAAA: ['2001:db8:0:0::1'] } },
    { result: 'pass', name: 'm.y.example', authentic: true },
  ],
  [
    'IPv4 as an IPv6 socket names it',
    '::ffff:192.0.2.1',
    { [REVERSE]: { PTR: ['m.y.example'] }, 'm.y.example': { A: ['192.0.2.1'] } },
    { result: 'pass', name: 'm.y.example', authentic: true },
  ],
  [
    'the pointer without DNSSEC',
    '192.0.2.1',
    { [REVERSE]: { PTR: ['m.y.example'], authentic: false }, 'm.y.example': { A: ['192.0.2.1'] } },
    { result: 'pass', name: 'm.y.example', authentic: false },
  ],
  [
    'the address without DNSSEC',
    '192.0.2.1',
    { [REVERSE]: { PTR: ['m.y.example'] }, 'm.y.example': { A: ['192.0.2.1'], authentic: false } },
    { result: 'pass', name: 'm.y.example', authentic: false },
  ],
  [
    'no name leads back',
    '192.0.2.1',
    { [REVERSE]: { PTR: ['m.y.example'] }, 'm.y.example': { A: ['192.0.2.2'] } },
    { result: 'fail', authentic: true },
  ],
  ['the address has no name', '192.0.2.1', {}, { result: 'permerror', authentic: true }],
  [
    'the address has other records than names',
    '192.0.2.1',
    { [REVERSE]: { TXT: ['x'] } },
    { result: 'permerror', authentic: true },
  ],
  ['the DNS fails', '192.0.2.1', { [REVERSE]: { fails: true } }, { result: 'temperror', authentic: false }],
  [
    'the DNS fails for a name, and no other leads back',
    '192.0.2.1',
    {
      [REVERSE]: { PTR: ['broken.y.example', 'm.y.example'] },
      'broken.y.example': { fails: true },
      'm.y.example': {},
    },
    { result: 'temperror', authentic: false },
  ],
  [
    'only the first ten names count',
    '192.0.2.1',
    { [REVERSE]: { PTR: names(11) }, 'n10.y.example': { A: ['192.0.2.1'] } },
    { result: 'fail', authentic: true },
  ],
]
for (const [rule, ip, zone, expected] of cases) {
  test(`iprev (RFC 8601 §2.7.3): ${rule}: ${expected.result}`, async () => {
    const resolver = fakeDns(zone)
    assert.deepEqual(await checkIprev(resolver, ip), expected)
    assert.ok(resolver.asked.length <= 11)
  })
}
