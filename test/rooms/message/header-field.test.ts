import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import libmime from 'libmime'
import { parseAddress } from '../../../shared/address/address.ts'
import { encodeUnstructured, encodeWords } from '../../../shared/message/encoded-word.ts'
import { formatAddressList, formatField } from '../../../shared/message/header-field.ts'
import { readMessageFields } from '../../../shared/message/message-fields.ts'
import { MessageSyntaxError } from '../../../shared/message/message-syntax-error.ts'

const subjects = [
  { rule: 'ASCII as it is', text: 'Hello "you" (all)', encoded: 'Hello "you" (all)' },
  { rule: 'only the words that need it', text: 'a é b', encoded: 'a =?utf-8?q?=C3=A9?= b' },
  { rule: 'neighbours with the space between them', text: 'é  è b', encoded: '=?utf-8?q?=C3=A9__=C3=A8?= b' },
  {
    rule: 'what looks like an encoded word',
    text: 'x =?utf-8?q?a?=',
    encoded: 'x =?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=',
  },
]
for (const { rule, text, encoded } of subjects) {
  test(`encodes ${rule} (RFC 2047 §5)`, () => {
    assert.equal(encodeUnstructured(text, false), encoded)
  })
}

test('writes UTF-8 as it is where that is allowed, but no word too long for a line', () => {
  assert.equal(encodeUnstructured('é è', true), 'é è')
  assert.match(encodeUnstructured('é'.repeat(600), true), /^=\?utf-8\?q\?/)
})

const words = fc
  .array(
    fc.string({
      unit: fc.constantFrom('a', 'é', '☺', '💩', '=', '?', '_', '"', ',', '.'),
      minLength: 1,
      maxLength: 60,
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((list) => list.join(' '))

test('an encoded text reads back, in words of 75 characters at most (RFC 2047 §2)', () => {
  fc.assert(
    fc.property(words, (text) => {
      assert.equal(libmime.decodeWords(encodeWords(text)), text)
      assert.ok(
        encodeWords(text)
          .split(' ')
          .every((word) => word.length <= 75 && /^=\?utf-8\?q\?[\w!*+/=-]*\?=$/.test(word)),
      )
    }),
  )
})

test('a folded subject reads back, with UTF-8 and without', () => {
  fc.assert(
    fc.property(words, fc.boolean(), (text, allowsUtf8) => {
      const field = formatField('Subject', encodeUnstructured(text, allowsUtf8), 'Subject')
      assert.equal(readMessageFields(Buffer.from(field)).subject, text)
      assert.ok(allowsUtf8 || field.split('\r\n').every((line) => line.length <= 77 || !/ \S+ /.test(line)))
    }),
  )
})

const names = [
  { name: '', written: '<ann@xn--bcher-kva.example>' },
  { name: 'Ann B', written: 'Ann B <ann@xn--bcher-kva.example>' },
  { name: 'B, Ann "x" \\', written: '"B, Ann \\"x\\" \\\\" <ann@xn--bcher-kva.example>' },
  { name: 'Änn', written: '=?utf-8?q?=C3=84nn?= <ann@xn--bcher-kva.example>' },
  { name: '=?x?=', written: '=?utf-8?q?=3D=3Fx=3F=3D?= <ann@xn--bcher-kva.example>' },
]
for (const { name, written } of names) {
  test(`writes the name ${JSON.stringify(name)} (RFC 5322 §3.4)`, () => {
    assert.equal(formatAddressList([{ name, address: parseAddress('ann@bücher.example') }], false), written)
  })
}

test('writes U-labels where UTF-8 is allowed, names encoded all the same', () => {
  const named = { name: 'Änn', address: parseAddress('änn@bücher.example') }
  assert.equal(formatAddressList([named], true), '=?utf-8?q?=C3=84nn?= <änn@bücher.example>')
})

test('an address list reads back', () => {
  const address = fc
    .constantFrom('ann@x.example', '"a b"@x.example', '"a@b,c"@bücher.example')
    .map(parseAddress)
  fc.assert(
    fc.property(fc.array(fc.record({ name: words, address }), { minLength: 1, maxLength: 5 }), (list) => {
      const read = readMessageFields(Buffer.from(formatField('To', formatAddressList(list, false), 'To'))).to
      assert.deepEqual(
        read.map(({ name }) => name),
        list.map(({ name }) => name),
      )
      assert.deepEqual(
        read.map((mailbox) => parseAddress(mailbox.address)),
        list.map((mailbox) => mailbox.address),
      )
    }),
  )
})

test('folds at 77 columns, keeps all white space, and makes no line of white space alone (RFC 5322 §2.2.3)', () => {
  const body = `${'word '.repeat(20)}${' '.repeat(100)}end${' '.repeat(100)}`
  const field = formatField('X', body, 'X')
  assert.equal(field.replaceAll('\r\n', ''), `X: ${body}`)
  assert.ok(
    field
      .split('\r\n')
      .slice(0, -1)
      .every((line) => /\S/.test(line)),
  )
  assert.deepEqual(
    formatField('X', 'word '.repeat(20).trim(), 'X')
      .split('\r\n')
      .map((line) => line.length),
    [77, 25, 0],
  )
})

test('folds at no other white space than space and tab', () => {
  const body = 'x\u00a0'.repeat(60)
  assert.equal(formatField('X', body, 'X'), `X: ${body}\r\n`)
})

test('refuses a line of more than 998 octets (RFC 5322 §2.1.1)', () => {
  const fits = 'x'.repeat(995)
  assert.equal(formatField('X', fits, 'X'), `X: ${fits}\r\n`)
  assert.throws(
    () => formatField('X', `${fits}x`, 'Headers[0][1]'),
    (error) => error instanceof MessageSyntaxError && error.field === 'Headers[0][1]',
  )
})
