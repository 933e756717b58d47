import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AddressSyntaxError,
  formatUnicodeDomain,
  parseDomainName,
} from '../../../shared/address/domain-name.ts'

const accepted = [
  { text: 'example', ascii: 'example', unicode: 'example' },
  { text: 'EXAMPLE.Test', ascii: 'example.test', unicode: 'example.test' },
  { text: 'Bücher.example', ascii: 'xn--bcher-kva.example', unicode: 'bücher.example' },
  { text: 'bu\u0308cher.example', ascii: 'xn--bcher-kva.example', unicode: 'bücher.example' },
  { text: 'XN--BCHER-KVA.example', ascii: 'xn--bcher-kva.example', unicode: 'bücher.example' },
  { text: 'straße.example', ascii: 'xn--strae-oqa.example', unicode: 'straße.example' },
  { text: '☺.localhost', ascii: 'xn--74h.localhost', unicode: '☺.localhost' },
  { text: 'a\u3002example', ascii: 'a.example', unicode: 'a.example' },
  { text: 'r3---sn-4.example', ascii: 'r3---sn-4.example', unicode: 'r3---sn-4.example' },
  {
    text: `${'a'.repeat(63)}.example`,
    ascii: `${'a'.repeat(63)}.example`,
    unicode: `${'a'.repeat(63)}.example`,
  },
]

for (const { text, ascii, unicode } of accepted) {
  test(`reads ${text} by IDNA lookup processing (RFC 5891 §5)`, () => {
    const domain = parseDomainName(text)
    assert.equal(domain, ascii)
    assert.equal(formatUnicodeDomain(domain), unicode)
    assert.equal(parseDomainName(unicode), ascii)
  })
}

const longest = `${'a.'.repeat(126)}a`

test('takes 253 octets and refuses 254 (RFC 1035 §2.3.4)', () => {
  assert.equal(longest.length, 253)
  assert.equal(parseDomainName(longest), longest)
  assert.throws(() => parseDomainName(`a${longest}`), AddressSyntaxError)
})

const refused = [
  { why: 'nothing', text: '' },
  { why: 'a trailing dot', text: 'a.example.' },
  { why: 'a leading dot', text: '.example' },
  { why: 'an empty label', text: 'a..example' },
  { why: 'a label that IDNA maps to nothing', text: '\u00ad.example' },
  { why: 'a label of 64 octets', text: `${'a'.repeat(64)}.example` },
  { why: 'an underscore', text: 'a_b.example' },
  { why: 'a leading hyphen', text: '-a.example' },
  { why: 'a trailing hyphen', text: 'a-.example' },
  { why: 'an IPv4 address', text: '192.0.2.1' },
  { why: 'an IPv4 address in hexadecimal', text: '0xc0.1' },
  { why: 'an IPv4 literal', text: '[192.0.2.1]' },
  { why: 'an IPv6 literal', text: '[IPv6:2001:db8::1]' },
  { why: 'a space', text: 'a b.example' },
  { why: 'a tab', text: 'a\tb.example' },
  { why: 'a line break', text: 'a.example\r\n' },
  { why: 'a NUL', text: 'a\0.example' },
  { why: 'percent encoding', text: 'ex%61mple.test' },
  { why: 'a path', text: 'a.example/b' },
  { why: 'an at sign', text: 'a@b.example' },
  { why: 'a fullwidth at sign', text: 'a\uff20b.example' },
  { why: 'an A-label that decodes to nothing', text: 'xn--.example' },
  { why: 'an A-label that is not Punycode', text: 'xn--zzzzzz9999.example' },
  { why: 'an A-label of an ASCII label', text: 'xn--a-.example' },
  { why: 'a lone surrogate', text: '\ud800.example' },
]

for (const { why, text } of refused) {
  test(`refuses ${why} in a domain name`, () => {
    assert.throws(() => parseDomainName(text), AddressSyntaxError)
  })
}
