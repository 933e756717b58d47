import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeBase64,
  decodeQuotedPrintable,
  encodeQuotedPrintable,
  withCrlf,
} from '../../../shared/message/transfer-encoding.ts'

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

const base64 = [
  { rule: 'lines', encoded: 'aGVs\r\nbG8=\r\n', decoded: 'hello' },
  { rule: 'junk between (RFC 2045 §6.8)', encoded: 'aG!V-s\0b_G 8=', decoded: 'hello' },
  { rule: 'missing padding', encoded: 'aGVsbG8', decoded: 'hello' },
  { rule: 'nothing', encoded: '', decoded: '' },
]
for (const { rule, encoded, decoded } of base64) {
  test(`decodes base64 with ${rule}`, () => {
    assert.equal(latin1(decodeBase64(Buffer.from(encoded))), decoded)
  })
}

const quotedPrintable = [
  { rule: 'octets in either case', encoded: 'a=3D=c3=BC', decoded: 'a=\xc3\xbc' },
  { rule: 'soft line breaks', encoded: 'a=\r\nb=\nc=  \r\nd', decoded: 'abcd' },
  { rule: 'hard line breaks as CRLF', encoded: 'a\r\nb\nc', decoded: 'a\r\nb\r\nc' },
  {
    rule: 'no white space at the end of a line (§6.7 (3))',
    encoded: 'a \t\r\nb=20\r\n',
    decoded: 'a\r\nb \r\n',
  },
  { rule: 'an equals sign that encodes nothing', encoded: '1=1 =zz =4', decoded: '1=1 =zz =4' },
  { rule: 'an encoded line break as an octet', encoded: 'a=0Ab', decoded: 'a\nb' },
]
for (const { rule, encoded, decoded } of quotedPrintable) {
  test(`decodes quoted-printable with ${rule}`, () => {
    assert.equal(latin1(decodeQuotedPrintable(Buffer.from(encoded))), decoded)
  })
}

const lines = fc.array(
  fc.string({ unit: fc.constantFrom('a', '=', ' ', '\t', '\r', '\0', 'é', '☺', '.'), maxLength: 120 }),
)

test('decoding quoted-printable gives back what was encoded, and no line is longer than 76 (RFC 2045 §6.7)', () => {
  fc.assert(
    fc.property(lines, (drawn) => {
      const text = drawn.join('\n')
      const encoded = encodeQuotedPrintable(text)
      assert.ok(encoded.split('\r\n').every((line) => /^[\t -~]{0,76}$/.test(line)))
      assert.equal(
        Buffer.from(decodeQuotedPrintable(Buffer.from(encoded))).toString(),
        text.replaceAll('\n', '\r\n'),
      )
    }),
  )
})

test('turns every LF without CR into CRLF and nothing else', () => {
  assert.equal(latin1(withCrlf(Buffer.from('\na\r\nb\n\nc\rd\n'))), '\r\na\r\nb\r\n\r\nc\rd\r\n')
})

test('decodes hostile input in linear time', () => {
  const startedAt = performance.now()
  for (const unit of ['=', '=\n', '\n', ' ', '= ']) decodeQuotedPrintable(Buffer.from(unit.repeat(2e6)))
  decodeBase64(Buffer.from('!='.repeat(2e6)))
  assert.ok(performance.now() - startedAt < 3000)
})
