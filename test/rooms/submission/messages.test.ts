import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { arrange, MESSAGE } from './arrange.ts'

const FROM = 'From: ann@shop.example\r\n'
const with_ = (...fields: readonly string[]) =>
  `${FROM}${fields.map((field) => `${field}\r\n`).join('')}\r\nbody\r\n`

const refused: readonly (readonly [
  rule: string,
  message: string | Uint8Array,
  code: number,
  enhanced: string,
])[] = [
  ['without an empty line behind the header section', FROM, 554, '5.6.0'],
  ['without any line', '', 554, '5.6.0'],
  ['with a line that is no field', with_('no field'), 554, '5.6.0'],
  ['with a continuation line first', ` x\r\n${with_()}`, 554, '5.6.0'],
  ['with a bare LF', `${with_()}a\nb\r\n`, 554, '5.6.0'],
  ['with a bare CR', `${with_()}a\rb\r\n`, 554, '5.6.0'],
  ['with a NUL', `${with_()}a\0b\r\n`, 554, '5.6.0'],
  ['with a control character in its header section', with_('Subject: \x1b[31m'), 554, '5.6.0'],
  ['with a header section in ISO 8859-1', Buffer.from(with_('Subject: é'), 'latin1'), 554, '5.6.0'],
  ['without From', '\r\nbody\r\n', 550, '5.6.0'],
  ['with two From fields', with_('From: ann@shop.example'), 550, '5.6.0'],
  ['with two authors', 'From: ann@shop.example, ann+x@shop.example\r\n\r\n', 550, '5.6.0'],
  ['with an unreadable From', 'From: Ann\r\n\r\n', 550, '5.6.0'],
  ['from another account', 'From: bob@shop.example\r\n\r\n', 550, '5.7.1'],
  ['from elsewhere', 'From: ann@elsewhere.example\r\n\r\n', 550, '5.7.1'],
  ['from a disabled domain', 'From: ann@off.example\r\n\r\n', 451, '4.3.0'],
  [
    'that hides another author before the address',
    'From: bob@shop.example <ann@shop.example>\r\n\r\n',
    550,
    '5.6.0',
  ],
  ['that was sent by another account', with_('Sender: bob@shop.example'), 550, '5.7.1'],
  ['with two senders', with_('Sender: ann@shop.example', 'Sender: ann@shop.example'), 550, '5.6.0'],
  ['AT-57: with the same extra key twice', with_('X-Mox-Extra-Test: 1', 'X-Mox-Extra-tEST: 2'), 554, '5.6.0'],
  ['with an extra field without key', with_('X-Mox-Extra-: 1'), 554, '5.6.0'],
  ['with more than 32 KiB of extra data', with_(`X-Mox-Extra-a: ${'x'.repeat(32_768)}`), 554, '5.6.0'],
  ['with more than 8 KiB of subject', with_(`Subject: ${'x'.repeat(8_193)}`), 554, '5.6.0'],
]
for (const [rule, message, code, enhancedCode] of refused) {
  test(`a message ${rule} is refused with ${code} ${enhancedCode}, and not queued`, async () => {
    const { submit, rows } = arrange()
    const answer = await submit({ message })
    assert.deepEqual(
      [answer?.stage, answer?.refusal.code, answer?.refusal.enhancedCode],
      ['data', code, enhancedCode],
    )
    assert.match(answer?.refusal.text ?? '', /^[ -~]+$/)
    assert.equal(rows.length, 0)
  })
}

test('AT-57: X-Mox-Extra fields are the extra data, by canonical keys, and stay in the message', async () => {
  const fields = [
    'X-Mox-Extra-Test: testvalue',
    'X-Mox-Extra-a: 123',
    'X-Mox-Extra-☺: ☹',
    'x-mox-extra-x-cANONICAL-z: ok',
  ]
  const { submit, rows, content } = arrange()
  assert.equal(await submit({ message: with_(...fields) }), undefined)
  assert.deepEqual(rows[0]?.extra, { Test: 'testvalue', A: '123', '☺': '☹', 'X-Canonical-Z': 'ok' })
  for (const field of fields) assert.ok(content().includes(`\r\n${field}\r\n`), field)
})

const tlsRequired: readonly (readonly [fields: readonly string[], requireTls: boolean | undefined])[] = [
  [[], undefined],
  [['TLS-Required: No'], false],
  [['tls-required: no'], false],
  [['TLS-Required: No', 'TLS-Required: No'], false],
  [['TLS-Required: Yes'], undefined],
  [['TLS-Required: No', 'TLS-Required: Yes'], undefined],
]
for (const [fields, requireTls] of tlsRequired) {
  test(`${fields.join(', ') || 'no TLS-Required'} makes requireTls ${requireTls} (RFC 8689 §5)`, async () => {
    const { submit, rows } = arrange()
    await submit({ message: with_(...fields) })
    assert.equal(rows[0]?.requireTls, requireTls)
  })
}

test('what is missing is added: trace fields, Message-ID with brackets (Q22), Date (RFC 6409 §8)', async () => {
  const { submit, rows, content } = arrange()
  await submit({ message: with_() })
  const messageId = rows[0]?.messageId ?? ''
  assert.match(messageId, /^<[A-Za-z0-9_-]{22}@mail\.shop\.example>$/)
  assert.equal(
    content(),
    [
      'Received: from mail.shop.example',
      '\tby mail.shop.example',
      '\twith ESMTPSA id session1',
      '\tfor <bob@remote.test>;',
      '\t1 Jun 2026 00:00:00 +0000',
      'Authentication-Results: mail.shop.example; auth=pass',
      ' smtp.mailfrom=ann@shop.example',
      `Message-ID: ${messageId}`,
      'Date: 1 Jun 2026 00:00:00 +0000',
      'From: ann@shop.example',
      '',
      'body',
      '',
    ].join('\r\n'),
  )
  assert.equal(rows[0]?.size, content().length)
})

test('the client’s address and name appear nowhere, and none of several recipients', async () => {
  const { submit, content } = arrange()
  await submit({ to: ['a@remote.test', 'b@remote.test'] })
  assert.doesNotMatch(content(), /192\.0\.2\.7|laptop|remote\.test/)
  assert.ok(content().endsWith(MESSAGE), 'what was complete stays as it was')
})

test('a Return-Path is removed, and a Message-ID that is none is replaced; Bcc is left alone', async () => {
  const { submit, rows, content } = arrange()
  const message = with_(
    'Return-Path: <x@y.example>',
    'Message-Id: none',
    'Bcc: secret@remote.test',
    'Subject: a',
    ' b',
  )
  await submit({ message })
  assert.doesNotMatch(content(), /Return-Path|none/)
  assert.match(content(), /\r\nBcc: secret@remote\.test\r\nSubject: a\r\n b\r\n\r\nbody\r\n$/)
  assert.match(content(), new RegExp(`Message-ID: ${rows[0]?.messageId}`))
  assert.equal(rows[0]?.subject, 'a b')
})

const utf8Part = '--b\r\nContent-Type: text/plain; name="é"\r\n\r\nx\r\n--b--\r\n'
const needs: readonly (readonly [
  rule: string,
  to: string,
  message: string,
  has8bit: boolean,
  smtputf8: boolean,
])[] = [
  ['ASCII alone needs nothing', 'bob@remote.test', MESSAGE, false, false],
  ['an 8-bit body needs 8BITMIME only', 'bob@remote.test', `${with_()}é\r\n`, true, false],
  ['UTF-8 in the header section needs SMTPUTF8', 'bob@remote.test', with_('Subject: é'), true, true],
  [
    'UTF-8 in the header section of a part does, too',
    'bob@remote.test',
    `${FROM}Content-Type: multipart/mixed; boundary=b\r\n\r\n${utf8Part}`,
    true,
    true,
  ],
  ['so does a local part', 'zoë@remote.test', MESSAGE, false, true],
  ['a domain does not', 'bob@bücher.test', MESSAGE, false, false],
]
for (const [rule, to, message, has8bit, smtputf8] of needs) {
  test(`${rule} (RFC 6531 §3.1), whatever the client declared`, async () => {
    for (const declared of [false, true]) {
      const { submit, rows } = arrange()
      assert.equal(await submit({ to: [to], message, mail: { smtputf8: declared } }), undefined)
      assert.deepEqual([rows[0]?.has8bit, rows[0]?.smtputf8], [has8bit, smtputf8])
    }
  })
}

test('a reverse-path with UTF-8 needs SMTPUTF8', async () => {
  const { submit, rows } = arrange()
  assert.equal(await submit({ from: 'élodie@shop.example' }), undefined)
  assert.equal(rows[0]?.smtputf8, true)
  assert.deepEqual(rows[0]?.mailFrom, parseAddress('élodie@shop.example'))
})

test('the TLS of the session stands in Received', async () => {
  const { begin, hooks, content } = arrange()
  const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }
  const open = begin(
    {},
    { client: { ...begin().client, tls }, recipients: [{ address: parseAddress('b@x.test') }] },
  )
  await hooks.message(open, Buffer.from(MESSAGE), new AbortController().signal)
  assert.match(content(), /with ESMTPSA \(TLSv1\.3 TLS_AES_128_GCM_SHA256\) id session1/)
})
