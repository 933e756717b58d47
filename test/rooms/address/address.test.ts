import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Address,
  formatAddress,
  formatUnicodeAddress,
  isAsciiLocalpart,
  parseAddress,
} from '../../../shared/address/address.ts'
import { AddressSyntaxError, parseDomainName } from '../../../shared/address/domain-name.ts'

const accepted = [
  { text: 'ann@remote.example', localpart: 'ann', formatted: 'ann@remote.example' },
  { text: 'Ann.B+tag@REMOTE.example', localpart: 'Ann.B+tag', formatted: 'Ann.B+tag@remote.example' },
  {
    text: "!#$%&'*+-/=?^_`{|}~@x.example",
    localpart: "!#$%&'*+-/=?^_`{|}~",
    formatted: "!#$%&'*+-/=?^_`{|}~@x.example",
  },
  { text: '"a b"@x.example', localpart: 'a b', formatted: '"a b"@x.example' },
  { text: '"plain"@x.example', localpart: 'plain', formatted: 'plain@x.example' },
  { text: '"a@b"@x.example', localpart: 'a@b', formatted: '"a@b"@x.example' },
  { text: '"a\\"\\\\\\c"@x.example', localpart: 'a"\\c', formatted: '"a\\"\\\\c"@x.example' },
  { text: '"..."@x.example', localpart: '...', formatted: '"..."@x.example' },
  { text: '☺@bücher.example', localpart: '☺', formatted: '☺@xn--bcher-kva.example' },
  { text: 'e\u0301@x.example', localpart: '\u00e9', formatted: '\u00e9@x.example' },
]

for (const { text, localpart, formatted } of accepted) {
  test(`reads ${text} (RFC 5321 §4.1.2, RFC 6531 §3.3)`, () => {
    const address = parseAddress(text)
    assert.equal(address.localpart, localpart)
    assert.equal(formatAddress(address), formatted)
  })
}

const refused = [
  { why: 'the null reverse-path', text: '' },
  { why: 'angle brackets', text: '<ann@x.example>' },
  { why: 'a display name', text: 'Ann <ann@x.example>' },
  { why: 'no domain', text: 'ann' },
  { why: 'an empty domain', text: 'ann@' },
  { why: 'an empty local part', text: '@x.example' },
  { why: 'an empty quoted local part', text: '""@x.example' },
  { why: 'a leading dot', text: '.ann@x.example' },
  { why: 'a trailing dot', text: 'ann.@x.example' },
  { why: 'two dots', text: 'a..b@x.example' },
  { why: 'a space outside quotes', text: 'a b@x.example' },
  { why: 'two at signs', text: 'a@b@x.example' },
  { why: 'a comment', text: 'ann(x)@x.example' },
  { why: 'a quoted string with a dot-atom behind it', text: '"a"b@x.example' },
  { why: 'an open quoted string', text: '"a@x.example' },
  { why: 'a bare quote in a quoted string', text: '"a"b"@x.example' },
  { why: 'a line break in a quoted string', text: '"a\r\nb"@x.example' },
  { why: 'an escaped line break', text: '"a\\\nb"@x.example' },
  { why: 'a NUL', text: '"a\0"@x.example' },
  { why: 'a C1 control', text: 'a\u0085b@x.example' },
  { why: 'a character that NFC turns into a semicolon', text: 'a\u037eb@x.example' },
  { why: 'a lone surrogate', text: 'a\ud800@x.example' },
  { why: 'an IP literal', text: 'ann@[192.0.2.1]' },
  { why: 'a source route', text: '@y.example:ann@x.example' },
]

for (const { why, text } of refused) {
  test(`refuses ${why} in an address`, () => {
    assert.throws(() => parseAddress(text), AddressSyntaxError)
  })
}

test('takes 128 octets of local part and refuses 129', () => {
  assert.equal(parseAddress(`${'é'.repeat(64)}@x.example`).localpart.length, 64)
  assert.throws(() => parseAddress(`a${'é'.repeat(64)}@x.example`), /longer than 128 octets/)
})

test('counts the octets of what is meant, not of the quoting', () => {
  assert.equal(parseAddress(`"${'\\"'.repeat(128)}"@x.example`).localpart, '"'.repeat(128))
})

test('formats U-labels for people', () => {
  assert.equal(formatUnicodeAddress(parseAddress('"a b"@xn--bcher-kva.example')), '"a b"@bücher.example')
})

test('knows which local parts need SMTPUTF8 (RFC 6531 §3.2)', () => {
  assert.equal(isAsciiLocalpart(parseAddress('ann@bücher.example')), true)
  assert.equal(isAsciiLocalpart(parseAddress('änn@x.example')), false)
})

// Quotes, escapes, dots and at signs are what a formatter gets wrong, so they are drawn often.
const localpart = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('"', '\\', '.', '@', ' ', '<', 'a', 'é', '☺'),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 25,
  })
  .map((text) => text.normalize('NFC'))
const domain = fc.constantFrom('x.example', 'bücher.example', 'localhost').map(parseDomainName)

test('parseAddress is the inverse of both formats for every address', () => {
  fc.assert(
    fc.property(localpart, domain, (text, name) => {
      const address: Address = { localpart: text, domain: name }
      assert.deepEqual(parseAddress(formatAddress(address)), address)
      assert.deepEqual(parseAddress(formatUnicodeAddress(address)), address)
    }),
    { numRuns: 2000 },
  )
})
