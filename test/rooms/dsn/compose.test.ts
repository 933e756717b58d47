import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Attachment, simpleParser } from 'mailparser'
import { parseAddress } from '../../../shared/address/address.ts'
import { composeDsn } from '../../../shared/dsn/compose.ts'
import type { DsnNotice } from '../../../shared/dsn/notice.ts'
import { readDsn } from '../../../shared/dsn/parse.ts'
import { decodePart, readMimeTree } from '../../../shared/message/mime-tree.ts'

const at = Date.UTC(2026, 10, 4, 12, 35, 0)
const HOUR = 3_600_000
const headers = 'From: <app@sender.example>\r\nSubject: Your order\r\nMessage-Id: <order@sender.example>\r\n'

const failed: DsnNotice = {
  action: 'failed',
  hostname: 'mail.sender.example',
  messageId: '<notice@mail.sender.example>',
  at,
  to: parseAddress('app+f7k2@sender.example'),
  recipient: parseAddress('nobody@remote.example'),
  original: {
    messageId: '<order@sender.example>',
    headerSection: Buffer.from(headers),
    arrivedAt: at - HOUR,
  },
  outcome: {
    code: 550,
    enhancedCode: '5.1.1',
    error: 'no such user',
    remoteHost: 'mx.remote.example',
  },
  lastAttemptAt: at - 1000,
  smtputf8: false,
}
const delayed: DsnNotice = {
  ...failed,
  action: 'delayed',
  outcome: { code: 0, enhancedCode: '', error: 'connection refused' },
  willRetryUntil: at + 14 * HOUR,
  nextAttempts: [at + 2 * HOUR, at + 6 * HOUR, at + 14 * HOUR],
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const compose = (notice: DsnNotice) => text(composeDsn(notice))
const parts = (notice: DsnNotice) => {
  const bytes = composeDsn(notice)
  return readMimeTree(bytes).parts.map((part) => ({
    type: part.contentType,
    encoding: part.transferEncoding,
    text: text(decodePart(bytes, part)),
  }))
}
const status = (notice: DsnNotice) => parts(notice)[1]?.text ?? ''
const read = (notice: DsnNotice) => {
  const bytes = composeDsn(notice)
  return readDsn(bytes, readMimeTree(bytes))
}
const withOutcome = (outcome: Partial<DsnNotice['outcome']>, notice = failed): DsnNotice => ({
  ...notice,
  outcome: { ...notice.outcome, ...outcome },
})

test('writes the header section of a notification (RFC 3464 §2, RFC 3834 §5)', () => {
  const [section = ''] = compose(failed).split('\r\n\r\n')
  assert.deepEqual(section.replace(/=_[0-9a-f]{32}/, '=_BOUNDARY').split('\r\n'), [
    'Return-Path: <>',
    'Delivered-To: app+f7k2@sender.example',
    'From: <postmaster@mail.sender.example>',
    'To: <app+f7k2@sender.example>',
    'Subject: mail delivery failed',
    'Date: 4 Nov 2026 12:35:00 +0000',
    'Message-Id: <notice@mail.sender.example>',
    'In-Reply-To: <order@sender.example>',
    'References: <order@sender.example>',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    ' boundary="=_BOUNDARY"',
  ])
})

test('writes three parts, the last with the original header section (RFC 6522 §3)', () => {
  const found = parts(failed)
  assert.deepEqual(
    found.map(({ type, encoding }) => [type, encoding]),
    [
      ['text/plain', '7bit'],
      ['message/delivery-status', '7bit'],
      ['text/rfc822-headers', '7bit'],
    ],
  )
  assert.equal(found[2]?.text, headers)
})

test('says of a failure what the server answered', () => {
  assert.equal(
    parts(failed)[0]?.text.replaceAll('\r\n', '\n'),
    `This is the mail system of mail.sender.example.

A message that you sent at 4 Nov 2026 11:35:00 +0000 to

    nobody@remote.example

could not be delivered. It will not be tried again.

mx.remote.example answered:

    550 5.1.1 no such user

That was at 4 Nov 2026 12:34:59 +0000.

The header section of your message is attached.
`,
  )
})

test('says of a delay when it is tried again and when it is given up', () => {
  assert.equal(
    parts(delayed)[0]?.text.replaceAll('\r\n', '\n'),
    `This is the mail system of mail.sender.example.

A message that you sent at 4 Nov 2026 11:35:00 +0000 to

    nobody@remote.example

has not been delivered yet. You need not send it again: it is still in
the queue.

The reason:

    connection refused

That was at 4 Nov 2026 12:34:59 +0000.

It will be tried again at about these times:

    4 Nov 2026 14:35:00 +0000
    4 Nov 2026 18:35:00 +0000
    5 Nov 2026 02:35:00 +0000

If it cannot be delivered, it is given up at about this time, and you
get another notice:

    5 Nov 2026 02:35:00 +0000

The header section of your message is attached.
`,
  )
})

test('writes the fields of a failure (RFC 3464 §2.2, §2.3)', () => {
  assert.deepEqual(status(failed).split('\r\n'), [
    'Reporting-MTA: dns; mail.sender.example',
    'Arrival-Date: 4 Nov 2026 11:35:00 +0000',
    '',
    'Final-Recipient: rfc822; nobody@remote.example',
    'Action: failed',
    'Status: 5.1.1',
    'Remote-MTA: dns; mx.remote.example',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    'Last-Attempt-Date: 4 Nov 2026 12:34:59 +0000',
    '',
  ])
})

test('writes the fields of a delay, with what the submitter asked for (RFC 3461 §6.3, RFC 4865)', () => {
  const original = {
    ...delayed.original,
    envelopeId: 'f7k2',
    originalRecipient: 'rfc822;Nobody@remote.example',
    futureReleaseRequest: 'for;60',
  }
  assert.deepEqual(status({ ...delayed, original }).split('\r\n'), [
    'Reporting-MTA: dns; mail.sender.example',
    'Original-Envelope-Id: f7k2',
    'Arrival-Date: 4 Nov 2026 11:35:00 +0000',
    'Future-Release-Request: for;60',
    '',
    'Original-Recipient: rfc822;Nobody@remote.example',
    'Final-Recipient: rfc822; nobody@remote.example',
    'Action: delayed',
    'Status: 4.0.0',
    'Last-Attempt-Date: 4 Nov 2026 12:34:59 +0000',
    'Will-Retry-Until: 5 Nov 2026 02:35:00 +0000',
    '',
  ])
})

const statuses: readonly (readonly [DsnNotice['action'], number, string, string])[] = [
  ['failed', 550, '5.1.1', '5.1.1'],
  ['failed', 550, '', '5.0.0'],
  ['failed', 0, '', '5.0.0'],
  ['failed', 0, '5.6.7', '5.6.7'],
  ['failed', 451, '', '4.0.0'],
  ['failed', 452, '4.2.2', '4.2.2'],
  ['failed', 550, 'junk', '5.0.0'],
  ['delayed', 452, '4.2.2', '4.2.2'],
  ['delayed', 552, '5.2.2', '4.2.2'],
  ['delayed', 0, '', '4.0.0'],
]
test('writes the status that was given, else one of the right class (RFC 3463 §2)', () => {
  for (const [action, code, enhancedCode, expected] of statuses) {
    const notice = withOutcome({ code, enhancedCode }, { ...failed, action })
    assert.match(
      status(notice),
      new RegExp(`\r\nStatus: ${expected}\r\n`),
      `${action} ${code} ${enhancedCode}`,
    )
  }
})

test('writes a Diagnostic-Code only where a server answered (RFC 3464 §2.3.6)', () => {
  assert.doesNotMatch(status(withOutcome({ code: 0, enhancedCode: '5.4.4' })), /Diagnostic-Code/)
})

test('quotes every line of a longer reply', () => {
  const notice = withOutcome({ error: 'no such user\r\nsee https://remote.example/why' })
  assert.match(parts(notice)[0]?.text ?? '', /\r\n {4}550 5\.1\.1 no such user\r\n {4}550 5\.1\.1 see https:/)
  assert.match(status(notice), /Diagnostic-Code: smtp; 550 5\.1\.1 no such user see https:/)
})

const utf8Notice: DsnNotice = {
  ...withOutcome({ error: 'inconnu à cette adresse' }),
  to: parseAddress('é@sender.example'),
  recipient: parseAddress('zoë@bücher.example'),
  original: {
    ...failed.original,
    headerSection: Buffer.from('Subject: à Zoë\r\nMessage-Id: <m@é.example>\r\n'),
  },
  smtputf8: true,
}
test('writes the forms of RFC 6533 for a message that needs SMTPUTF8', () => {
  assert.deepEqual(
    parts(utf8Notice).map(({ type, encoding }) => [type, encoding]),
    [
      ['text/plain', '8bit'],
      ['message/global-delivery-status', '8bit'],
      ['message/global-headers', '8bit'],
    ],
  )
  assert.match(compose(utf8Notice), /\r\nContent-Transfer-Encoding: 8bit\r\n/)
  assert.match(status(utf8Notice), /Final-Recipient: utf-8; zoë@xn--bcher-kva\.example\r\n/)
})

test('is ASCII throughout for a message that does not need SMTPUTF8, and loses no text for people', () => {
  const notice: DsnNotice = {
    ...withOutcome({ error: 'inconnu à cette adresse' }),
    original: {
      ...failed.original,
      headerSection: Buffer.from('Subject: à Zoë\r\n'),
      originalRecipient: 'é@x.example',
    },
  }
  assert.match(compose(notice), /^[\x00-\x7f]*$/)
  const [explanation, deliveryStatus, returned] = parts(notice)
  assert.match(explanation?.text ?? '', /550 5\.1\.1 inconnu à cette adresse/)
  assert.match(deliveryStatus?.text ?? '', /Original-Recipient: rfc822;\?@x\.example\r\n/)
  assert.deepEqual([returned?.encoding, returned?.text], ['base64', 'Subject: à Zoë\r\n'])
})

test('returns a header section that no transport takes in base64, a long one cut at a line, a body never', () => {
  const returned = (headerSection: string) => {
    const original = { ...failed.original, headerSection: Buffer.from(headerSection, 'latin1') }
    return parts({ ...failed, original })[2]
  }
  const endless = `X: ${'x'.repeat(1000)}\r\n`
  assert.deepEqual([returned(endless)?.encoding, returned(endless)?.text], ['base64', endless])
  assert.equal(returned('X: a\0b\r\n')?.encoding, 'base64')
  assert.equal(returned('X: \xff\r\n')?.encoding, 'base64')
  assert.equal(returned('X: 1\nY: 2\n')?.text, 'X: 1\r\nY: 2\r\n')
  assert.equal(returned('X: 1\r\n\r\nsecret')?.text, 'X: 1\r\n')
  assert.equal(returned('X: 1')?.text, 'X: 1')
  assert.equal(returned('')?.text, '')
  const cut = returned('X: 12345\r\n'.repeat(10_000))?.text ?? ''
  assert.ok(cut.length > 65_000 && cut.length <= 65_536 && cut.endsWith('X: 12345\r\n'))
})

test('says of a relayed message that nothing more will be told of it (RFC 3461 §5.2.2, RFC 3464 §2.3.3)', () => {
  const notice = withOutcome(
    { code: 250, enhancedCode: '2.6.0', error: '' },
    { ...failed, action: 'relayed' },
  )
  assert.match(status(notice), /\r\nAction: relayed\r\nStatus: 2\.6\.0\r\n/)
  assert.match(compose(notice), /\r\nSubject: mail relayed\r\n/)
  assert.match(parts(notice)[0]?.text ?? '', /was accepted by the next server, which was not asked/)
  assert.doesNotMatch(parts(notice)[0]?.text ?? '', /answered/)
  assert.equal(read(notice)?.recipients[0]?.action, 'relayed')
  assert.match(status(withOutcome({ enhancedCode: '' }, notice)), /\r\nStatus: 2\.0\.0\r\n/)
})

test('returns the whole message with a failure where that was asked for (RFC 3461 §4.3)', () => {
  const message = `${headers}\r\nHello é\r\n`
  const wanting = (notice: DsnNotice, wholeMessage: Uint8Array = Buffer.from(message)): DsnNotice => {
    return { ...notice, original: { ...notice.original, wholeMessage } }
  }
  const types = (notice: DsnNotice) => [parts(notice)[2]?.type, parts(notice)[2]?.encoding]
  assert.deepEqual(types(wanting(failed)), ['message/rfc822', '8bit'])
  assert.deepEqual(types(wanting({ ...failed, smtputf8: true })), ['message/global', '8bit'])
  assert.equal(parts(wanting(failed))[2]?.text, message)
  assert.match(parts(wanting(failed))[0]?.text ?? '', /Your message is attached/)
  assert.equal(read(wanting(failed))?.recipients.length, 1)

  const large = Buffer.concat([Buffer.from(message), Buffer.alloc(1 << 20, 'x\r\n')])
  const endless = Buffer.from(`${message}${'x'.repeat(999)}\r\n`)
  for (const notice of [wanting(delayed), wanting(failed, large), wanting(failed, endless)]) {
    assert.deepEqual(types(notice), ['text/rfc822-headers', '7bit'])
    assert.match(parts(notice)[0]?.text ?? '', /The header section of your message is attached/)
  }
})

test('foreign text writes no field, no line and no part of its own', () => {
  const hostile = 'x\r\nX-Forged: 1\r\n\r\n--b\0\u2028 y'
  const notice: DsnNotice = {
    ...withOutcome({ error: hostile, enhancedCode: hostile, remoteHost: `mx; ${hostile}` }),
    hostname: hostile,
    messageId: `<${hostile}>`,
    original: {
      ...failed.original,
      messageId: `<${hostile}>`,
      envelopeId: hostile,
      originalRecipient: hostile,
      futureReleaseRequest: hostile,
    },
  }
  const bytes = composeDsn(notice)
  assert.equal(readMimeTree(bytes).parts.length, 3)
  assert.doesNotMatch(text(bytes), /^X-Forged/m)
  assert.doesNotMatch(text(bytes), /^(Message-Id|References|In-Reply-To): <x/m)
  assert.match(status(notice), /^Remote-MTA: dns; mx\?\?x/m)
  assert.equal(read(notice)?.recipients.length, 1)
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3000 }),
  fc.string({ unit: fc.constantFrom('é', '\u3000', '😀', 'a', ' ', '\n'), maxLength: 3000 }),
  fc.constant('é'.repeat(3000)),
  fc.constant('\u3000'.repeat(3000)),
  fc.constant('a@'.repeat(3000)),
)
test('any foreign text gives a notice with lines of at most 998 octets that reads back', () => {
  fc.assert(
    fc.property(
      fc.array(anyText, { minLength: 8, maxLength: 8 }),
      fc.uint8Array(),
      fc.boolean(),
      (texts, section, smtputf8) => {
        const [error = '', enhancedCode = '', remoteHost = '', hostname = '', messageId = ''] = texts
        const [envelopeId = '', originalRecipient = '', futureReleaseRequest = ''] = texts.slice(5)
        const notice: DsnNotice = {
          ...withOutcome({ error, enhancedCode, remoteHost }),
          hostname,
          smtputf8,
          original: {
            ...failed.original,
            headerSection: section,
            messageId: `<${messageId}>`,
            envelopeId,
            originalRecipient,
            futureReleaseRequest,
          },
        }
        const bytes = Buffer.from(composeDsn(notice))
        const lines = bytes.toString('latin1').split('\r\n')
        assert.ok(lines.every((line) => line.length <= 998 && !/[\r\n\0]/.test(line)))
        const [found, ...others] = read(notice)?.recipients ?? []
        assert.deepEqual(
          [found?.finalRecipient, found?.action, found?.code],
          ['nobody@remote.example', 'failed', 550],
        )
        assert.deepEqual(others, [])
        assert.ok(smtputf8 || !/[\x80-\xff]/.test(bytes.toString('latin1')))
      },
    ),
    { numRuns: 200 },
  )
})

test('the longest address is written whole', () => {
  const domain = Array.from({ length: 4 }, () => 'd'.repeat(60)).join('.')
  const to = parseAddress(`"${'\\"'.repeat(64)} ${'b'.repeat(63)}"@${domain}`)
  assert.equal(
    read({ ...failed, to, recipient: to })?.recipients[0]?.finalRecipient.length,
    128 + 64 + 3 + domain.length,
  )
})

test('what it writes, readDsn reads back', () => {
  const original = { ...utf8Notice.original, envelopeId: 'f7k2', originalRecipient: 'utf-8;zoë@a.example' }
  assert.deepEqual(read({ ...utf8Notice, original }), {
    recipients: [
      {
        finalRecipient: 'zoë@xn--bcher-kva.example',
        originalRecipient: 'zoë@a.example',
        action: 'failed',
        status: '5.1.1',
        code: 550,
        enhancedCode: '5.1.1',
        diagnostic: '550 5.1.1 inconnu à cette adresse',
        remoteMta: 'mx.remote.example',
      },
    ],
    originalEnvelopeId: 'f7k2',
    reportingMta: 'mail.sender.example',
    originalMessageId: '<m@é.example>',
    isStructured: true,
  })
  assert.equal(read(delayed)?.recipients[0]?.action, 'delayed')
})

test('what it writes, another parser reads', async () => {
  const parsed = await simpleParser(Buffer.from(composeDsn(failed)), { keepDeliveryStatus: true })
  const found = ({ contentType, content }: Attachment) => [contentType, content.toString()]
  assert.equal(parsed.subject, 'mail delivery failed')
  assert.equal(parsed.inReplyTo, '<order@sender.example>')
  assert.match(parsed.text ?? '', /550 5\.1\.1 no such user/)
  assert.deepEqual(parsed.attachments.map(found), [
    ['message/delivery-status', status(failed)],
    ['text/rfc822-headers', headers],
  ])
})
