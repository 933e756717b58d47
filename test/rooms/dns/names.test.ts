import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliasTarget, askableName, hostName } from '../../../shared/dns/names.ts'
import { reverseName } from '../../../shared/dns/reverse-name.ts'

const label63 = 'a'.repeat(63)
const longest = [label63, label63, label63, 'a'.repeat(61)].join('.')
const all = { askable: true, host: true, alias: true }
const askableOnly = { askable: true, host: false, alias: false }
const none = { askable: false, host: false, alias: false }

const names = [
  ['www.example', all],
  ['_25._tcp.MX.example', all],
  ['example', all],
  [longest, all],
  ['1.0/25.2.0.192.in-addr.arpa', { ...all, host: false }],
  ["o'neill+x=y.example", askableOnly],
  ['a b.example', askableOnly],
  ['', none],
  ['.', none],
  ['www.example.', none],
  ['.example', none],
  ['www..example', none],
  [`${label63}a.example`, none],
  [`${longest}a`, none],
  ['b\u00fccher.example', none],
  ['\u212aelvin.example', none],
  ['a\r\n.example', none],
  ['a\0.example', none],
] as const

for (const [name, expected] of names) {
  test(`${JSON.stringify(name)}: ${JSON.stringify(expected)}`, () => {
    const lowerCase = (is: boolean) => (is ? name.toLowerCase() : undefined)
    assert.equal(askableName(name), lowerCase(expected.askable))
    assert.equal(hostName(name), lowerCase(expected.host))
    assert.equal(aliasTarget(name), lowerCase(expected.alias))
  })
}

const reverse = [
  ['192.0.2.1', '1.2.0.192.in-addr.arpa'],
  ['255.0.0.254', '254.0.0.255.in-addr.arpa'],
  ['2001:DB8::1', `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`],
  ['::', `${'0.'.repeat(32)}ip6.arpa`],
  ['1:2:3:4:5:6:7:89ab', 'b.a.9.8.7.0.0.0.6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.ip6.arpa'],
  ['::ffff:192.0.2.1', `1.0.2.0.0.0.0.c.f.f.f.f.${'0.'.repeat(20)}ip6.arpa`],
  ['192.0.2.256', undefined],
  ['192.0.2', undefined],
  ['::1%eth0', undefined],
  ['1::2::3', undefined],
  [':', undefined],
  ['www.example', undefined],
  ['', undefined],
] as const

for (const [address, name] of reverse) {
  test(`RFC 1035 §3.5, RFC 3596 §2.5: the reverse name of "${address}" is ${name ?? 'none'}`, () => {
    assert.equal(reverseName(address), name)
  })
}
