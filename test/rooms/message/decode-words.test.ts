import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import libmime from 'libmime'
import { decodeWords } from '../../../shared/message/decode-words.ts'
import { encodeWords } from '../../../shared/message/encoded-word.ts'

const cases: readonly [rule: string, text: string, decoded: string][] = [
  ['plain text stays', 'a =? b ?= c', 'a =? b ?= c'],
  ['Q (§4.2)', '=?ISO-8859-1?Q?Andr=E9?= Pirard', 'André Pirard'],
  ['an underscore is a space in Q, whatever the charset (§4.2 (2))', '=?utf-8?q?a_b=5Fc?=', 'a b_c'],
  ['B (§4.1)', '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=', 'If you can read this yo'],
  [
    'white space between encoded words does not count (§6.2)',
    '(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)',
    '(ab)',
  ],
  ['but between an encoded and a plain word it does (§6.2)', '=?ISO-8859-1?Q?a?= b', 'a b'],
  [
    'a language after the charset is no part of it (RFC 2231 §5)',
    '=?US-ASCII*EN?Q?Keith_Moore?=',
    'Keith Moore',
  ],
  ['a character cut between two words', '=?utf-8?B?4oI=?= =?utf-8?B?rA==?=', '€'],
  ['neighbours of two charsets', '=?utf-8?Q?=C3=A9?= =?iso-8859-1?Q?=E9?=', 'éé'],
  ['ISO-2022-JP', '=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=', '日本'],
  ['an unknown charset is read as UTF-8 where it can be', '=?x-none?Q?=C3=A9?=', 'é'],
  ['an = that encodes nothing stays', '=?utf-8?Q?a=ZZ?=', 'a=ZZ'],
]
for (const [rule, text, decoded] of cases) {
  test(`RFC 2047: ${rule}`, () => {
    assert.equal(decodeWords(text), decoded)
  })
}

test('what we encode is decoded again, by us and by libmime', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      assert.equal(decodeWords(encodeWords(text)), text)
      assert.equal(libmime.decodeWords(encodeWords(text)), text)
    }),
  )
})
