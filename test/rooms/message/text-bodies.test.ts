import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMimeTree } from '../../../shared/message/mime-tree.ts'
import { readTextBodies } from '../../../shared/message/text-bodies.ts'

const read = (message: string | Uint8Array) => {
  const bytes = Buffer.from(message)
  return readTextBodies(bytes, readMimeTree(bytes))
}
const leaf = (type: string, body = type) => `Content-Type: ${type}\r\n\r\n${body}`
const multipart = (subtype: string, boundary: string, ...parts: string[]) =>
  leaf(
    `multipart/${subtype}; boundary=${boundary}`,
    `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--`,
  )

const choices = [
  { rule: 'a message of text', message: leaf('text/plain', 'T'), text: 'T', html: '' },
  { rule: 'a message of HTML', message: leaf('text/html', 'H'), text: '', html: 'H' },
  { rule: 'a message without Content-Type as text', message: 'Subject: x\r\n\r\nT', text: 'T', html: '' },
  { rule: 'nothing from a message of another type', message: leaf('text/calendar', 'C'), text: '', html: '' },
  {
    rule: 'both from an alternative, the first of each',
    message: multipart(
      'alternative',
      'b',
      leaf('text/html', 'H1'),
      leaf('text/plain', 'T1'),
      leaf('text/plain', 'T2'),
      leaf('text/html', 'H2'),
    ),
    text: 'T1',
    html: 'H1',
  },
  {
    rule: 'only the first from a mixed',
    message: multipart('mixed', 'b', leaf('text/html', 'H'), leaf('text/plain', 'T')),
    text: '',
    html: 'H',
  },
  {
    rule: 'a direct child before a deeper one',
    message: multipart(
      'mixed',
      'b',
      multipart('alternative', 'c', leaf('text/html', 'H')),
      leaf('text/plain', 'T'),
    ),
    text: 'T',
    html: '',
  },
  {
    rule: 'the first readable of the deeper ones, depth first',
    message: multipart(
      'mixed',
      'b',
      leaf('image/png'),
      multipart(
        'related',
        'c',
        multipart('alternative', 'd', leaf('text/plain', 'T'), leaf('text/html', 'H')),
        leaf('image/png'),
      ),
      multipart('related', 'e', leaf('text/html', 'X')),
    ),
    text: 'T',
    html: 'H',
  },
  {
    rule: 'an attachment of text as well',
    message: multipart('mixed', 'b', `Content-Disposition: attachment\r\n${leaf('text/plain', 'T')}`),
    text: 'T',
    html: '',
  },
  {
    rule: 'nothing from an attached message',
    message: multipart('mixed', 'b', leaf('message/rfc822', leaf('text/plain', 'T'))),
    text: '',
    html: '',
  },
]
for (const { rule, message, text, html } of choices) {
  test(`takes ${rule}`, () => {
    assert.deepEqual(read(message), { text, html })
  })
}

const bytes = (charset: string, body: Uint8Array) =>
  Buffer.concat([Buffer.from(leaf(`text/plain; charset=${charset}`, '')), body])
const charsets = [
  { charset: 'utf-8', body: Buffer.from('ü'), text: 'ü' },
  { charset: 'UTF-8', body: Buffer.of(0x61, 0xff), text: 'a\ufffd' },
  { charset: 'iso-8859-1', body: Buffer.of(0xfc), text: 'ü' },
  { charset: 'windows-1252', body: Buffer.of(0x80), text: '€' },
  { charset: 'koi8-r', body: Buffer.of(0xc1), text: 'а' },
  { charset: 'iso-2022-jp', body: Buffer.from('\x1b$B$"\x1b(B'), text: 'あ' },
  { charset: 'us-ascii', body: Buffer.from('ü'), text: 'ü' },
  { charset: 'us-ascii', body: Buffer.of(0xfc), text: 'ü' },
  { charset: 'x-unknown', body: Buffer.from('ü'), text: 'ü' },
  { charset: 'x-unknown', body: Buffer.of(0xfc), text: 'ü' },
  { charset: 'utf-7', body: Buffer.from('a'), text: 'a' },
]
for (const { charset, body, text } of charsets) {
  test(`decodes ${body.toString('hex')} of charset ${charset} as ${text}`, () => {
    assert.equal(read(bytes(charset, body)).text, text)
  })
}

test('gives lines that end in LF and keeps a lone CR', () => {
  assert.equal(read(leaf('text/plain', 'a\r\nb\nc\rd')).text, 'a\nb\nc\rd')
})

test('cuts at 1048576 octets, counted after decoding, before the character that does not fit', () => {
  const body = `${'a\r\n'.repeat(100)}${'☺'.repeat(400_000)}`
  const { text } = read(leaf('text/plain; charset=utf-8', body))
  assert.equal(text, `${'a\n'.repeat(100)}${'☺'.repeat(349_458)}`)
  assert.equal(Buffer.byteLength(text), 1_048_574)
})

test('does not cut a surrogate pair', () => {
  const { text } = read(leaf('text/plain; charset=utf-8', `a${'💩'.repeat(300_000)}`))
  assert.equal(text, `a${'💩'.repeat(262_143)}`)
})
