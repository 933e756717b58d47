import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import type { SpfResult } from '../../../shared/authentication/authentication.ts'
import { formatReceivedSpf } from '../../../shared/authentication/received-spf.ts'

const passed: SpfResult = {
  result: 'pass',
  identity: 'mailfrom',
  domain: 'from.example',
  mechanism: 'mx',
  problem: '',
  authentic: true,
}
const failed: SpfResult = {
  ...passed,
  result: 'permerror',
  mechanism: 'include:b.example',
  problem: 'no SPF "record"',
}
const greeted: SpfResult = {
  ...passed,
  result: 'neutral',
  identity: 'helo',
  domain: 'client.example',
  mechanism: '',
}

interface Case {
  readonly rule: string
  readonly spf: SpfResult
  readonly from?: string
  readonly ipAddress?: string
  readonly hello?: string
  readonly lines: readonly string[]
}

const cases: readonly Case[] = [
  {
    rule: 'names who claimed what, and what decided',
    spf: passed,
    from: 'ann@from.example',
    lines: [
      'Received-SPF: pass (domain from.example)',
      'client-ip=192.0.2.1;',
      'envelope-from="ann@from.example";',
      'helo=client.example;',
      'mechanism=mx;',
      'receiver=mx.example;',
      'identity=mailfrom',
    ],
  },
  {
    rule: 'quotes what is no dot-atom',
    spf: failed,
    from: '"a \\"b\\\\"@from.example',
    ipAddress: '2001:db8::1',
    lines: [
      'Received-SPF: permerror (domain from.example)',
      'client-ip="2001:db8::1";',
      'envelope-from="\\"a \\\\\\"b\\\\\\\\\\"@from.example";',
      'helo=client.example;',
      'problem="no SPF \\"record\\"";',
      'mechanism="include:b.example";',
      'receiver=mx.example;',
      'identity=mailfrom',
    ],
  },
  {
    rule: 'says that it judged the EHLO name, and that nothing matched',
    spf: greeted,
    lines: [
      'Received-SPF: neutral (domain client.example, from ehlo because mailfrom is empty)',
      'client-ip=192.0.2.1;',
      'envelope-from="";',
      'helo=client.example;',
      'mechanism=default;',
      'receiver=mx.example;',
      'identity=helo',
    ],
  },
  {
    rule: "takes no lines, comments, values or other scripts from a client's name",
    spf: { ...greeted, result: 'none', domain: 'x) y=(\r\nX-Evil: \\\u00e9' },
    hello: 'x"; identity=mailfrom\r\nX-Evil: \\\u00e9\0',
    lines: [
      'Received-SPF: none (domain x? y=???X-Evil: ??, from ehlo because mailfrom is empty)',
      'client-ip=192.0.2.1;',
      'envelope-from="";',
      'helo="x\\"; identity=mailfrom??X-Evil: \\\\??";',
      'receiver=mx.example;',
      'identity=helo',
    ],
  },
  {
    rule: 'keeps a sender with SMTPUTF8 as it is (RFC 6532 §3.2)',
    spf: { ...passed, domain: 'xn--bcher-kva.example' },
    from: 'j\u00fcrgen@b\u00fccher.example',
    lines: [
      'Received-SPF: pass (domain xn--bcher-kva.example)',
      'client-ip=192.0.2.1;',
      'envelope-from="j\u00fcrgen@xn--bcher-kva.example";',
      'helo=client.example;',
      'mechanism=mx;',
      'receiver=mx.example;',
      'identity=mailfrom',
    ],
  },
]
for (const { rule, spf, from, ipAddress = '192.0.2.1', hello = 'client.example', lines } of cases) {
  test(`Received-SPF ${rule} (RFC 7208 §9.1)`, () => {
    const client = { ipAddress, hello, protocol: 'ESMTP', sessionId: 'a' }
    const mailFrom = from === undefined ? {} : { mailFrom: parseAddress(from) }
    const field = formatReceivedSpf('mx.example', { client, ...mailFrom }, spf)
    assert.equal(field, `${lines.join('\r\n\t')}\r\n`)
  })
}

test('the longest and worst values still make lines of 998 octets at most (RFC 5322 §2.1.1)', () => {
  const localpart = `"${'\\\\'.repeat(127)}@"`
  const mailFrom = parseAddress(`${localpart}@${'a.'.repeat(123)}example`)
  const client = { ipAddress: '::1', hello: '"'.repeat(255), protocol: 'ESMTP', sessionId: 'a' }
  const spf = { ...failed, domain: mailFrom.domain, mechanism: '"'.repeat(128), problem: '\\'.repeat(67) }
  const lines = formatReceivedSpf('mx.example', { client, mailFrom }, spf).split('\r\n')
  assert.ok(lines.every((line) => Buffer.byteLength(line) <= 998))
})
