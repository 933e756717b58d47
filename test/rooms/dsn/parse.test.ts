import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDsn } from '../../../shared/dsn/parse.ts'
import type { DsnRecipient } from '../../../shared/dsn/recipient.ts'
import { readMimeTree } from '../../../shared/message/mime-tree.ts'

const read = (text: string) => {
  const bytes = Buffer.from(text)
  return readDsn(bytes, readMimeTree(bytes))
}
const message = (...lines: string[]) => lines.join('\r\n')
const withStatus = (...lines: string[]) =>
  read(
    message(
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
      '',
      '--b',
      '',
      'words',
      '--b',
      'Content-Type: message/delivery-status',
      '',
      ...lines,
      '--b--',
    ),
  )
const one = (...lines: string[]): DsnRecipient => {
  const [recipient, ...others] = withStatus('Reporting-MTA: dns; a.example', '', ...lines)?.recipients ?? []
  assert.ok(recipient)
  assert.deepEqual(others, [])
  return recipient
}
const addresses = (...lines: string[]) =>
  withStatus(...lines)?.recipients.map((found) => found.finalRecipient)

const FINAL = 'Final-Recipient: rfc822; x@b.example'

const codes: readonly (readonly [string, string, number, string])[] = [
  ['smtp; 550-5.1.1 No such user', '5.0.0', 550, '5.1.1'],
  ['smtp; 550 5.1.1 No such user', '5.0.0', 550, '5.1.1'],
  ['smtp;550-5.1.1', '5.0.0', 550, '5.1.1'],
  ['smtp; 550 5.1.1: No such user', '5.0.0', 550, '5.1.1'],
  ['smtp; 550 5.1.1...User unknown', '5.0.0', 550, '5.1.1'],
  ['smtp; 550 #5.1.0 Address rejected', '5.0.0', 550, '5.1.0'],
  ['smtp; 550-first\r\n 550 5.1.1 last', '5.7.1', 550, '5.7.1'],
  ['550 5.1.1 no type; and a semicolon', '5.0.0', 550, '5.1.1'],
  ['lmtp; 552 5.2.2 full', '5.0.0', 552, '5.2.2'],
  ['smtp; 550', '5.1.1', 550, '5.1.1'],
  ['smtp; 550 no such user', '4.4.7', 550, ''],
  ['smtp; 550 4.1.1 of another class', '5.7.1', 550, '5.7.1'],
  ['smtp; 550 192.0.2.1 is blocked', '5.7.1', 550, '5.7.1'],
  ['smtp; 550 5.1.1.9 is no code', '5.7.1', 550, '5.7.1'],
  ['smtp; 250.1.2.3 is no code', '5.7.1', 500, '5.7.1'],
  ['smtp; 5501 is no code', '5.7.1', 500, '5.7.1'],
  ['smtp; timed out', '4.4.1', 400, '4.4.1'],
  ['X-Postfix; 550 5.1.1 is no reply', '5.4.4', 500, '5.4.4'],
  ['', '5.4.4', 500, '5.4.4'],
  ['', '2.1.5', 0, ''],
  ['', '5.1', 500, '5.0.0'],
]
test('takes the codes from the reply, else from the status (RFC 3464 §2.3.6, RFC 3463 §2)', () => {
  for (const [diagnostic, status, code, enhancedCode] of codes) {
    const found = one(FINAL, 'Action: failed', `Status: ${status}`, `Diagnostic-Code: ${diagnostic}`)
    const codesFound = [found.code, found.enhancedCode]
    assert.deepEqual(codesFound, [code, enhancedCode], `${diagnostic} / ${status}`)
  }
})

const gaps: readonly (readonly [readonly string[], DsnRecipient['action'], string])[] = [
  [['Status: 5.1.1'], 'failed', '5.1.1'],
  [['Diagnostic-Code: smtp; 550 5.1.1 no'], 'failed', '5.1.1'],
  [['Diagnostic-Code: smtp; 550 no'], 'failed', '5.0.0'],
  [['Status: 4.4.1', 'Will-Retry-Until: 6 Nov 2026 12:35:10 +0000'], 'delayed', '4.4.1'],
  [['Status: 4.4.1'], 'unknown', '4.4.1'],
  [['Status: 2.0.0'], 'unknown', '2.0.0'],
  [['Action: failed'], 'failed', '5.0.0'],
  [['Action: DELAYED'], 'delayed', '4.0.0'],
  [['Action: relayed (to a gateway)'], 'relayed', '2.0.0'],
  [['Action: failure', 'Status: 5.1.1'], 'unknown', '5.1.1'],
  [['Action:', 'Status: 5.1.1'], 'failed', '5.1.1'],
  [['Action: failed', 'Status: none'], 'failed', '5.0.0'],
  [[], 'unknown', ''],
]
test('derives a missing action or status only where the other leaves no doubt (RFC 3464 §2.3.3)', () => {
  for (const [lines, action, status] of gaps) {
    const found = one(FINAL, ...lines)
    assert.deepEqual([found.action, found.status], [action, status], lines.join(' / '))
  }
})

const addressTypes: readonly (readonly [string, string])[] = [
  ['rfc822; x@b.example', 'x@b.example'],
  ['RFC822;<x@b.example>', 'x@b.example'],
  ['x@b.example', 'x@b.example'],
  ['rfc822 (a comment); x@b.example (another)', 'x@b.example'],
  ['rfc822; "a;b c"@b.example', '"a;b c"@b.example'],
  ['rfc822; "a;(b)"@b.example', '"a;(b)"@b.example'],
  ['rfc822; root', 'root'],
  ['utf-8; zo\\x{EB}@b.example', 'zoë@b.example'],
  ['utf-8; \\x{D800}\\x{110000}@b.example', '\ufffd\\x{110000}@b.example'],
  ['x400; /C=XX/ADMD=TEST/S=Doe/', ''],
  ['unknown; x@b.example', 'x@b.example'],
  ['system; \u0007|/bin/program', ''],
]
test('reads the addr-spec of an address type (RFC 3464 §2.3.2, RFC 6533 §3)', () => {
  for (const [value, address] of addressTypes) {
    const found = one(`Final-Recipient: ${value}`, `Original-Recipient: ${value}`)
    assert.deepEqual([found.finalRecipient, found.originalRecipient], [address, address], value)
  }
})

test('takes the first of repeated fields', () => {
  const found = one(FINAL, FINAL, 'Final-Recipient: RFC822;X@b.example', 'Status: 5.1.1', 'Status: 5.7.1')
  assert.deepEqual([found.finalRecipient, found.status], ['x@b.example', '5.1.1'])
})

test('keeps diagnostics to one bounded line', () => {
  const found = one(FINAL, `Diagnostic-Code: smtp; 550 5.1.1 a\u0000b\u009bc${' more'.repeat(1000)}`)
  assert.match(found.diagnostic, /^550 5\.1\.1 a b c more/)
  assert.equal(found.diagnostic.length, 1000)
})

const Y = 'Final-Recipient: rfc822; y@b.example'
const layouts: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['no Reporting-MTA', [FINAL, '', Y], ['x@b.example', 'y@b.example']],
  ['no blank line before the recipient', ['Reporting-MTA: dns; a.example', FINAL], ['x@b.example']],
  ['no blank line between recipients', [FINAL, 'Action: failed', Y], ['x@b.example', 'y@b.example']],
  [
    'blank lines within a recipient',
    [FINAL, '', 'Action: failed', '', 'Status: 5.1.1', '', Y],
    ['x@b.example', 'y@b.example'],
  ],
  ['white space on the blank line', [FINAL, ' \t', Y], ['x@b.example', 'y@b.example']],
  ['several blank lines', ['', '', FINAL, '', '', '', Y, ''], ['x@b.example', 'y@b.example']],
  ['the name not first', ['Action: failed', FINAL, '', 'Action: failed', Y], ['x@b.example', 'y@b.example']],
  ['a block of extensions', ['X-One: 1', '', 'X-Two: 2', '', FINAL], ['x@b.example']],
  ['nobody named', ['Reporting-MTA: dns; a.example', '', 'Action: failed'], ['']],
]
test('finds the recipients whatever became of the blank lines (RFC 3464 §2.1)', () => {
  for (const [layout, lines, found] of layouts) assert.deepEqual(addresses(...lines), found, layout)
})

test('gives each recipient its own fields where the blank line between them is missing', () => {
  const report = withStatus(
    FINAL,
    'Original-Recipient: rfc822; o@b.example',
    'Status: 5.1.1',
    Y,
    'Status: 4.2.2',
  )
  const found = report?.recipients.map((each) => [each.finalRecipient, each.originalRecipient, each.status])
  assert.deepEqual(found, [
    ['x@b.example', 'o@b.example', '5.1.1'],
    ['y@b.example', '', '4.2.2'],
  ])
})

test('reads the first block where the blank line behind the header of the part is missing', () => {
  const report = read(
    message(
      'Content-Type: multipart/report; boundary=b',
      '',
      '--b',
      'Content-Type: message/delivery-status',
      'Reporting-MTA: dns; a.example',
      '',
      FINAL,
      '--b--',
    ),
  )
  assert.equal(report?.reportingMta, 'a.example')
  assert.equal(report?.recipients.length, 1)
})

test('reads an encoded delivery-status part', () => {
  const status = Buffer.from(
    'Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; x@b.example\n',
  ).toString('base64')
  const report = read(
    message(
      'Content-Type: multipart/report; boundary=b',
      '',
      '--b',
      'Content-Type: message/delivery-status',
      'Content-Transfer-Encoding: base64',
      '',
      status,
      '--b--',
    ),
  )
  assert.equal(report?.recipients[0]?.finalRecipient, 'x@b.example')
})

test('a report that declares delivery status and has none is a problem, not another message', () => {
  const report = read(
    message(
      'Content-Type: multipart/report; report-type=Delivery-Status; boundary=b',
      '',
      '--b',
      '',
      'x',
      '--b--',
    ),
  )
  assert.equal(report?.problem, 'the report has no message/delivery-status part')
  assert.deepEqual(report?.recipients, [])
})

const forwarded = message(
  'Content-Type: multipart/mixed; boundary=f',
  '',
  '--f',
  '',
  'look what I got',
  '--f',
  'Content-Type: message/rfc822',
  '',
  'Content-Type: multipart/report; boundary=b',
  '',
  '--b',
  'Content-Type: message/delivery-status',
  '',
  FINAL,
  '--b--',
  '--f--',
)
const noNotifications: readonly (readonly [string, string])[] = [
  ['a message without any header', ''],
  [
    'prose',
    message('Subject: Undeliverable', '', 'Your message to x@b.example could not be delivered: 550 5.1.1'),
  ],
  [
    'a read receipt',
    message('Content-Type: multipart/report; report-type=disposition-notification; boundary=b', '', '--b--'),
  ],
  ['a bounce that somebody forwards', forwarded],
  ['a delivery-status part outside a report', message('Content-Type: message/delivery-status', '', FINAL)],
  [
    'qmail words that are not the first',
    message('', 'He wrote: Hi. This is the', '', '<x@b.example>:', 'no'),
  ],
  ['qmail words and no recipient', message('', 'Hi. This is the end.', '', '<x@b.example>: no')],
  ['a failed recipient that is no address', message('X-Failed-Recipients: root, , <>', '', 'x')],
]
test('does not guess: without a documented mark a message is no notification', () => {
  for (const [what, text] of noNotifications) assert.equal(read(text), undefined, what)
})

test('reads X-Failed-Recipients that Exim begins anew, and no more than 1000 addresses', () => {
  const field = `X-Failed-Recipients: ${Array.from({ length: 600 }, (_, at) => `u${at}@b.example`).join(',\r\n  ')}`
  const found = read(message(field, field, '', 'x'))?.recipients
  assert.equal(found?.length, 1000)
  assert.equal(found?.[600]?.finalRecipient, 'u0@b.example')
})

test('reads a hostile megabyte in linear time', () => {
  const mega = 1 << 20
  const hostile = [
    'a:b\r\n\r\n'.repeat(mega / 7),
    `${FINAL}\r\n`.repeat(mega / 38),
    `${FINAL}\r\n${Y}\r\n`.repeat(mega / 76),
    `X:\r\n`.repeat(mega / 8) + `${FINAL}\r\n\r\n`.repeat(mega / 80),
    '\r'.repeat(mega),
    `Final-Recipient: ${'('.repeat(mega)}`,
    `Diagnostic-Code: smtp; 550${' '.repeat(mega)}x`,
    `Status: ${'5.'.repeat(mega / 2)}`,
  ]
  const texts = [
    `Hi. This is the\n\n${'<a>: '.repeat(mega / 5)}\n`,
    `Hi. This is the\n\n<a@b.example>:\n${'Remote host said: '.repeat(mega / 18)}${'-'.repeat(mega)}`,
    `Hi. This is the\n\n${'<a@b.example>:\n\n'.repeat(mega / 16)}`,
    '\n'.repeat(mega),
  ]
  const startedAt = performance.now()
  for (const status of hostile) withStatus(status)
  for (const text of texts) read(`\n${text}`)
  assert.ok(performance.now() - startedAt < 20_000)
})
