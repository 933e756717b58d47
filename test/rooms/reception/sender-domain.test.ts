import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { checkSenderDomain } from '../../../shared/reception/sender-domain.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'

const NO_SERVER = '550 5.7.27 the domain of the reverse-path, y.example, has no mail server and no address'
const NULL_MX = '550 5.7.27 the domain of the reverse-path, y.example, takes no mail (null MX)'
const LATER =
  '451 4.4.0 the DNS does not tell now whether the domain of the reverse-path takes mail, try again later'

const cases: readonly (readonly [rule: string, zone: FakeZone, refusal: string | undefined])[] = [
  ['a mail server', { 'y.example': { MX: [[10, 'mx.y.example']] } }, undefined],
  ['an IPv4 address only', { 'y.example': { A: ['192.0.2.1'] } }, undefined],
  ['an IPv6 address only', { 'y.example': { AAAA: ['2001:db8::1'] } }, undefined],
  [
    'an alias of a domain with one',
    { 'y.example': { CNAME: 'z.example' }, 'z.example': { MX: [[1, 'mx.z.example']] } },
    undefined,
  ],
  ['null MX (RFC 7505 §4.2)', { 'y.example': { MX: [[0, '.']], A: ['192.0.2.1'] } }, NULL_MX],
  [
    'null MX beside another, which nobody should publish',
    {
      'y.example': {
        MX: [
          [0, '.'],
          [1, 'mx.y.example'],
        ],
      },
    },
    undefined,
  ],
  ['no such domain', {}, NO_SERVER],
  ['neither', { 'y.example': { TXT: ['x'] } }, NO_SERVER],
  ['the DNS fails', { 'y.example': { fails: true } }, LATER],
  ['the DNS fails for the address', { 'y.example': { fails: ['AAAA'] } }, LATER],
  [
    'the DNS fails for one kind of address, and there is another',
    { 'y.example': { A: ['192.0.2.1'], fails: ['AAAA'] } },
    undefined,
  ],
]
for (const [rule, zone, expected] of cases) {
  test(`the reverse-path's domain: ${rule}: ${expected?.slice(0, 10) ?? 'fine'}`, async () => {
    const refusal = await checkSenderDomain(fakeDns(zone), parseAddress('ann@y.example'))
    assert.equal(refusal && `${refusal.code} ${refusal.enhancedCode} ${refusal.text}`, expected)
  })
}
