import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { countReceived, formatReceived } from '../../../shared/message/received.ts'

const at = Date.UTC(2026, 10, 4, 12, 34, 56)

test('writes one folded field with all clauses (RFC 5321 §4.4)', () => {
  const received = formatReceived({
    from: { hello: 'mail.remote.example', ipAddress: '192.0.2.7' },
    by: 'mx.postern.example',
    with: 'ESMTPS',
    id: '42',
    for: parseAddress('"a b"@postern.example'),
    at,
    tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  })
  assert.equal(
    received,
    'Received: from mail.remote.example ([192.0.2.7])\r\n' +
      '\tby mx.postern.example\r\n' +
      '\twith ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id 42\r\n' +
      '\tfor <"a b"@postern.example>;\r\n' +
      '\t4 Nov 2026 12:34:56 +0000\r\n',
  )
})

test('tells the name of the address where it is another, and comments on the whole', () => {
  const received = (hello: string) =>
    formatReceived({
      from: { hello, name: 'out.remote.example', ipAddress: '192.0.2.7' },
      by: 'mx.postern.example',
      with: 'ESMTP',
      id: '42',
      at,
      comment: 'dnssec: iprev yes, spf no) (x\r\n',
    })
  assert.equal(
    received('mail.remote.example'),
    'Received: from mail.remote.example (out.remote.example [192.0.2.7])\r\n' +
      '\tby mx.postern.example\r\n' +
      '\twith ESMTP id 42\r\n' +
      '\t(dnssec: iprev yes, spf no? ?x??);\r\n' +
      '\t4 Nov 2026 12:34:56 +0000\r\n',
  )
  assert.match(received('OUT.remote.example'), /^Received: from OUT.remote.example \(\[192.0.2.7\]\)\r\n/)
})

test('leaves out what is not known', () => {
  assert.equal(
    formatReceived({ by: 'mx.postern.example', with: 'HTTP', id: '42', at }),
    'Received: by mx.postern.example\r\n\twith HTTP id 42;\r\n\t4 Nov 2026 12:34:56 +0000\r\n',
  )
})

test('writes IPv6 addresses with their tag (RFC 5321 §4.1.3)', () => {
  const from = { hello: '[IPv6:2001:db8::1]', ipAddress: '2001:db8::1' }
  assert.match(
    formatReceived({ from, by: 'x', with: 'SMTP', id: '1', at }),
    /from \[IPv6:2001:db8::1\] \(\[IPv6:2001:db8::1\]\)\r\n/,
  )
})

test('lets no EHLO name write clauses, comments or lines', () => {
  const hello = 'x (y) by evil.example;\r\nSubject: z\u0000ü'
  const received = formatReceived({ from: { hello }, by: 'x', with: 'SMTP', id: '1', at, tls: 'a) (b' })
  assert.match(
    received,
    /^Received: from x\?\?y\?\?by\?evil\.example\?\?\?Subject:\?z\?\?\r\n\tby x\r\n\twith SMTP \(a\? \?b\)/,
  )
})

test('writes something for an empty EHLO name, and little for a long one', () => {
  const format = (hello: string) => formatReceived({ from: { hello }, by: 'x', with: 'SMTP', id: '1', at })
  assert.match(format(''), /^Received: from \?\r\n/)
  assert.ok(format('x'.repeat(10_000)).length < 400)
})

test('counts hops in the header section only (RFC 5321 §6.3)', () => {
  const received = formatReceived({ by: 'x', with: 'SMTP', id: '1', at })
  const message = `${received}RECEIVED : y\r\nX-Received: n\r\n${received}\r\n${received}`
  assert.equal(countReceived(Buffer.from(message)), 3)
  assert.equal(countReceived(Buffer.from(message.replaceAll('\r\n', '\n'))), 3)
})
