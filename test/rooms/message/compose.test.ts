import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simpleParser } from 'mailparser'
import { parseAddress } from '../../../shared/address/address.ts'
import { composeMessage, type MessageDraft } from '../../../shared/message/compose.ts'
import { readMessageFields } from '../../../shared/message/message-fields.ts'
import { MessageSyntaxError } from '../../../shared/message/message-syntax-error.ts'
import { decodePart, type MimePart, partAt, readMimeTree } from '../../../shared/message/mime-tree.ts'
import { readTextBodies } from '../../../shared/message/text-bodies.ts'

const named = (name: string, address: string) => ({ name, address: parseAddress(address) })
const file = (name: string, contentType: string, data: string | Uint8Array, contentId = '') => ({
  name,
  contentType,
  contentId,
  data: Buffer.from(data),
})

const plain: MessageDraft = {
  from: named('', 'ann@x.example'),
  replyTo: [],
  to: [named('', 'b@y.example')],
  cc: [],
  bcc: [],
  subject: 'hi',
  date: Date.UTC(2026, 10, 4, 12, 34, 56),
  messageId: '<1@x.example>',
  references: [],
  text: 'hello',
  html: '',
  headers: [],
  userAgent: 'postern/0.1.0',
  alternativeFiles: [],
  inlineFiles: [],
  attachedFiles: [],
}

const full: MessageDraft = {
  ...plain,
  from: named('Ännchen', 'ann@bücher.example'),
  replyTo: [named('', 'r1@x.example'), named('R, 2', 'r2@x.example')],
  to: [named('To 1', 'to1@x.example'), named('', 'to2@x.example')],
  cc: [named('', 'cc@x.example')],
  bcc: [named('', 'secret@x.example')],
  subject: 'grüße an alle',
  references: ['<a@x.example>', '<b@x.example>'],
  text: 'hi ☺\nthere\n',
  html: '<p>hi</p>',
  headers: [
    ['X-Custom-ABC', 'some value'],
    ['X-custom-abc', 'again'],
  ],
  alternativeFiles: [file('cal.ics', 'text/calendar; charset=utf-8', 'BEGIN:VCALENDAR')],
  inlineFiles: [file('smile ☺.png', 'image/png', Buffer.of(0x89, 0x50, 0), '<img@x>')],
  attachedFiles: [file('', '', '%PDF-1.7'), file('data.bin', 'application/x-data', Buffer.alloc(200, 0xff))],
}

const compose = async (draft: MessageDraft) => {
  const composed = await composeMessage(draft)
  const text = Buffer.from(composed.bytes).toString()
  return { ...composed, text, header: text.slice(0, text.indexOf('\r\n\r\n') + 2) }
}
const shape = (part: MimePart): string =>
  part.parts.length === 0 ? part.contentType : `${part.contentType}(${part.parts.map(shape).join(' ')})`

test('writes a message of text, byte by byte', async () => {
  const { text, has8bit, smtputf8 } = await compose(plain)
  const lines = [
    'From: <ann@x.example>',
    'To: <b@y.example>',
    'Subject: hi',
    'Date: 4 Nov 2026 12:34:56 +0000',
    'Message-Id: <1@x.example>',
    'MIME-Version: 1.0',
    'User-Agent: postern/0.1.0',
    'Content-Type: text/plain; charset=us-ascii',
    'Content-Transfer-Encoding: 7bit',
    '',
    'hello',
    '',
  ]
  assert.equal(text, lines.join('\r\n'))
  assert.deepEqual({ has8bit, smtputf8 }, { has8bit: false, smtputf8: false })
})

test('writes all fields in their order, once each, and never Bcc', async () => {
  const { header, text } = await compose(full)
  const names = header
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n')
    .map((line) => line.split(':', 1)[0])
  assert.deepEqual(names, [
    'From',
    'Reply-To',
    'To',
    'Cc',
    'Subject',
    'Date',
    'Message-Id',
    'References',
    'In-Reply-To',
    'MIME-Version',
    'X-Custom-ABC',
    'X-custom-abc',
    'User-Agent',
    'Content-Type',
    '',
  ])
  assert.doesNotMatch(text, /secret/)
})

test('reads back what was written', async () => {
  const { bytes } = await compose(full)
  const fields = readMessageFields(bytes)
  assert.deepEqual(fields.from, [{ name: 'Ännchen', address: 'ann@bücher.example' }])
  assert.deepEqual(
    fields.replyTo.map(({ name }) => name),
    ['', 'R, 2'],
  )
  assert.deepEqual(
    fields.to.map(({ address }) => address),
    ['to1@x.example', 'to2@x.example'],
  )
  assert.equal(fields.subject, full.subject)
  assert.equal(fields.date, full.date)
  assert.equal(fields.inReplyTo, '<b@x.example>')
  assert.deepEqual(fields.references, full.references)
  const tree = readMimeTree(bytes)
  assert.deepEqual(readTextBodies(bytes, tree), { text: full.text, html: '<p>hi</p>\n' })
  const attached = partAt(tree, [2])
  assert.ok(attached)
  assert.deepEqual(Buffer.from(decodePart(bytes, attached)), full.attachedFiles[1]?.data)
})

const trees: readonly {
  readonly rule: string
  readonly draft: Partial<MessageDraft>
  readonly tree: string
}[] = [
  { rule: 'text alone', draft: {}, tree: 'text/plain' },
  { rule: 'HTML alone', draft: { text: '', html: 'h' }, tree: 'text/html' },
  { rule: 'text and HTML', draft: { html: 'h' }, tree: 'multipart/alternative(text/plain text/html)' },
  {
    rule: 'an alternative file',
    draft: { alternativeFiles: full.alternativeFiles },
    tree: 'multipart/alternative(text/plain text/calendar)',
  },
  {
    rule: 'an inline file',
    draft: { inlineFiles: full.inlineFiles },
    tree: 'multipart/related(text/plain image/png)',
  },
  {
    rule: 'attached files',
    draft: { attachedFiles: full.attachedFiles },
    tree: 'multipart/mixed(text/plain application/pdf application/x-data)',
  },
  {
    rule: 'everything',
    draft: full,
    tree:
      'multipart/mixed(multipart/related(multipart/alternative(text/plain text/html text/calendar) image/png) ' +
      'application/pdf application/x-data)',
  },
]
for (const { rule, draft, tree } of trees) {
  test(`nests only the multiparts that are needed: ${rule}`, async () => {
    assert.equal(shape(readMimeTree((await compose({ ...plain, ...draft })).bytes)), tree)
  })
}

test('writes files in base64 lines of 76 with disposition, name and content id', async () => {
  const { bytes, text } = await compose(full)
  const [related, pdf, data] = readMimeTree(bytes).parts
  const files = [related?.parts[0]?.parts[2], related?.parts[1], pdf, data]
  assert.deepEqual(
    files.map((part) => [part?.transferEncoding, part?.contentDisposition, part?.filename, part?.contentId]),
    [
      ['base64', 'inline', 'cal.ics', ''],
      ['base64', 'inline', 'smile ☺.png', '<img@x>'],
      ['base64', 'attachment', '', ''],
      ['base64', 'attachment', 'data.bin', ''],
    ],
  )
  assert.match(text, /Content-Disposition: attachment; filename=""\r\n/)
  assert.match(text, /\r\n\/{76}\r\n/)
  assert.ok(text.split('\r\n').every((line) => line.length <= 77))
})

test('is understood by another parser', async () => {
  const mail = await simpleParser(Buffer.from((await compose(full)).bytes))
  assert.equal(mail.subject, full.subject)
  assert.equal(mail.text?.replace(/\n+$/, '\n'), full.text)
  assert.equal(mail.from?.value[0]?.name, 'Ännchen')
  assert.equal(mail.messageId, full.messageId)
  assert.deepEqual(mail.date, new Date(full.date))
  assert.deepEqual(
    mail.attachments.map(({ contentType, filename, contentId, content }) => [
      contentType,
      filename,
      contentId,
      content.length,
    ]),
    [
      ['text/calendar', 'cal.ics', undefined, 15],
      ['image/png', 'smile ☺.png', '<img@x>', 3],
      ['application/pdf', undefined, undefined, 8],
      ['application/x-data', 'data.bin', undefined, 200],
    ],
  )
})

const texts = [
  { rule: '7bit for short ASCII lines', text: 'a'.repeat(76), encoding: '7bit', charset: 'us-ascii' },
  { rule: '8bit for short lines of UTF-8', text: 'ü'.repeat(38), encoding: '8bit', charset: 'utf-8' },
  {
    rule: 'quoted-printable for a line of more than 76 octets',
    text: 'ü'.repeat(39),
    encoding: 'quoted-printable',
    charset: 'utf-8',
  },
  {
    rule: 'quoted-printable for a stray CR',
    text: 'a\rb',
    encoding: 'quoted-printable',
    charset: 'us-ascii',
  },
  {
    rule: 'quoted-printable for a NUL, which 7bit cannot carry',
    text: 'a\0b',
    encoding: 'quoted-printable',
    charset: 'us-ascii',
  },
]
for (const { rule, text, encoding, charset } of texts) {
  test(`encodes text as ${rule}`, async () => {
    const { bytes, has8bit } = await compose({ ...plain, text })
    const tree = readMimeTree(bytes)
    assert.equal(tree.transferEncoding, encoding)
    assert.deepEqual(tree.contentTypeParams, { charset })
    assert.equal(readTextBodies(bytes, tree).text, `${text}\n`)
    assert.equal(has8bit, encoding === '8bit')
  })
}

test('takes CRLF in a text for a line break, and adds the final one only if it is missing', async () => {
  const { text } = await compose({ ...plain, text: 'a\r\nb\n' })
  assert.match(text, /\r\n\r\na\r\nb\r\n$/)
})

test('writes UTF-8 subject and U-labels when a local part needs SMTPUTF8 (RFC 6531 §3.1)', async () => {
  for (const draft of [{ from: named('Ä', 'änn@bücher.example') }, { bcc: [named('', 'ü@x.example')] }]) {
    const { header, smtputf8 } = await compose({ ...full, ...draft })
    assert.equal(smtputf8, true)
    assert.match(header, /^Subject: grüße an alle\r$/m)
    assert.match(header, /^From: =\?utf-8\?q\?.*@bücher\.example>\r$/m)
  }
})

test('needs SMTPUTF8 for UTF-8 in a field of the caller, which is written as it is', async () => {
  const { header, has8bit, smtputf8 } = await compose({ ...plain, headers: [['X-Name', 'Zoë']] })
  assert.match(header, /^X-Name: Zoë\r$/m)
  assert.deepEqual({ has8bit, smtputf8 }, { has8bit: true, smtputf8: true })
})

for (const name of ['User-Agent', 'x-mailer']) {
  test(`writes no User-Agent of its own beside the caller's ${name}`, async () => {
    const { header } = await compose({ ...plain, headers: [[name, 'mine']] })
    assert.equal(header.match(/^(User-Agent|X-Mailer): /gim)?.length, 1)
  })
}

test('writes the same bytes for the same draft', async () => {
  assert.deepEqual((await compose(full)).bytes, (await compose(full)).bytes)
})

test('takes a boundary that no text of the message has', async () => {
  const first = await compose(full)
  const quoting = { ...full, text: first.text.replaceAll('\r\n', '\n') }
  assert.equal(shape(readMimeTree((await compose(quoting)).bytes)), shape(readMimeTree(first.bytes)))
})

const refused: readonly { readonly field: string; readonly draft: Partial<MessageDraft> }[] = [
  { field: 'Subject', draft: { subject: 'a\r\nBcc: x@x.example' } },
  { field: 'Subject', draft: { subject: 'a\tb' } },
  { field: 'Subject', draft: { subject: 'a\ud800b' } },
  { field: 'MessageID', draft: { messageId: '<a\n@x>' } },
  { field: 'MessageID', draft: { messageId: `<${'a'.repeat(1000)}@x>` } },
  { field: 'UserAgent', draft: { userAgent: 'a\0' } },
  { field: 'References[1]', draft: { references: ['<a@x>', '<b\r@x>'] } },
  { field: 'From[0].Name', draft: { from: named('a\nb', 'ann@x.example') } },
  { field: 'ReplyTo[0].Name', draft: { replyTo: [named('\x7f', 'ann@x.example')] } },
  { field: 'To[1].Name', draft: { to: [named('', 'a@x.example'), named('\0', 'b@x.example')] } },
  { field: 'CC[0].Name', draft: { cc: [named('\x1b[0m', 'ann@x.example')] } },
  { field: 'BCC[0].Name', draft: { bcc: [named('\r', 'ann@x.example')] } },
  {
    field: 'Headers[2][1]',
    draft: {
      headers: [
        ['X-A', ''],
        ['X-B', ''],
        ['X-C', 'a\nb'],
      ],
    },
  },
  { field: 'Headers[0][1]', draft: { headers: [['X-A', 'a'.repeat(1000)]] } },
  { field: 'Headers[0][0]', draft: { headers: [['', 'a']] } },
  { field: 'Headers[0][0]', draft: { headers: [['X A', 'a']] } },
  { field: 'Headers[0][0]', draft: { headers: [['X:A', 'a']] } },
  { field: 'Headers[0][0]', draft: { headers: [['X-Ä', 'a']] } },
  { field: 'Headers[0][0]', draft: { headers: [['X\r\nBcc', 'a']] } },
  { field: 'AlternativeFiles[0].Name', draft: { alternativeFiles: [file('a\nb', '', '')] } },
  { field: 'InlineFiles[0].ContentID', draft: { inlineFiles: [file('', '', '', '<a>\r\nX: y')] } },
  { field: 'InlineFiles[0].ContentID', draft: { inlineFiles: [file('', '', '', '<ü>')] } },
  { field: 'AttachedFiles[0].ContentType', draft: { attachedFiles: [file('', 'a/b\r\nX: y', '')] } },
  { field: 'AttachedFiles[0].ContentType', draft: { attachedFiles: [file('', 'pdf', '')] } },
  {
    field: 'AttachedFiles[0].ContentType',
    draft: { attachedFiles: [file('', 'multipart/mixed; boundary=b', '')] },
  },
]
for (const [index, { field, draft }] of refused.entries()) {
  test(`refuses what a header field cannot carry, and names ${field} (case ${index + 1})`, async () => {
    await assert.rejects(composeMessage({ ...plain, ...draft }), (error) => {
      return (
        error instanceof MessageSyntaxError && error.field === field && error.message.startsWith(`${field} `)
      )
    })
  })
}

const own = [
  'From',
  'to',
  'CC',
  'Bcc',
  'Reply-To',
  'Subject',
  'Date',
  'Message-Id',
  'References',
  'In-Reply-To',
  'MIME-Version',
  'Content-Type',
  'content-language',
]
for (const name of own) {
  test(`refuses a second ${name} among the caller's fields`, async () => {
    await assert.rejects(composeMessage({ ...plain, headers: [[name, 'x']] }), { field: 'Headers[0][0]' })
  })
}

test('a text that begins lines with dashes or dots, or is very long, reads back', async () => {
  const text = `--\n.\n--=_-x\nFrom x\n${'long '.repeat(100_000)}\n`
  const { bytes } = await compose({ ...full, text })
  assert.equal(readTextBodies(bytes, readMimeTree(bytes)).text, text)
})
