import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sesContent, sesSender } from '../../../shared/ses/ses-content.ts'

const body = '\r\nBcc: this is text\r\n'

const contents: readonly (readonly [rule: string, before: string, after: string])[] = [
  [
    'what SES takes stays as it is',
    'From: a@x.example\r\nSubject: hi\r\n',
    'From: a@x.example\r\nSubject: hi\r\n',
  ],
  [
    'Return-Path, which SES sets, is left out',
    'Return-Path: <a@x.example>\r\nTo: b@y.example\r\n',
    'To: b@y.example\r\n',
  ],
  [
    'Bcc is shown to nobody',
    'BCC: c@y.example,\r\n d@y.example\r\nTo: b@y.example\r\n',
    'To: b@y.example\r\n',
  ],
  [
    'signatures are left to SES',
    'DKIM-Signature: v=1;\r\n\tb=x\r\nTo: b@y.example\r\n',
    'To: b@y.example\r\n',
  ],
  [
    'what tells SES what to do is not the author’s to say',
    'X-SES-MESSAGE-TAGS: account=other\r\nx-ses-configuration-set :\r\n other\r\nX-SES-FROM-ARN: x\r\nX-Session: 1\r\n',
    'X-Session: 1\r\n',
  ],
  [
    'of what SES takes once only, the first stays',
    'Subject: one\r\nSubject: two\r\nTO: b\r\nTo: c\r\n',
    'Subject: one\r\nTO: b\r\n',
  ],
  [
    'other fields may be repeated',
    'X-A: 1\r\nX-A: 2\r\nReceived: 1\r\nReceived: 2\r\n',
    'X-A: 1\r\nX-A: 2\r\nReceived: 1\r\nReceived: 2\r\n',
  ],
]

for (const [rule, before, after] of contents) {
  test(`content for SES: ${rule}`, () => {
    assert.equal(Buffer.from(sesContent(Buffer.from(before + body))).toString(), after + body)
  })
}

test('content for SES: what is too far down to be read as a field is none for SES either', () => {
  const long = `X-A: ${'a'.repeat(900)}\r\n`.repeat(1200)
  const [header = '', body = ''] = Buffer.from(
    sesContent(Buffer.from(`${long}X-SES-FROM-ARN: x\r\n\r\nhi\r\n`)),
  )
    .toString()
    .split('\r\n\r\n')
  assert.doesNotMatch(header, /X-SES/)
  assert.match(body, /X-SES-FROM-ARN: x$/)
})

const senders: readonly (readonly [rule: string, from: string, sender: string | undefined])[] = [
  ['the author is the sender', 'Ann <ann@x.example>', 'ann@x.example'],
  ['of several authors the first is', 'ann@x.example, bob@y.example', 'ann@x.example'],
  ['domains are those of the DNS', 'ann@bücher.example', 'ann@xn--bcher-kva.example'],
  ['a From without address names nobody', 'Ann', undefined],
]

for (const [rule, from, sender] of senders) {
  test(`sender for SES: ${rule}`, () => {
    const address = sesSender(Buffer.from(`From: ${from}\r\n\r\nhi\r\n`))
    assert.equal(address && `${address.localpart}@${address.domain}`, sender)
  })
}
