import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions, type Options } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { receive } from '../../../shared/reception/receive.ts'
import { reportKindsAt } from '../../../shared/reception/take-reports.ts'
import { observedReception } from '../../support/observed-reception.ts'
import { dmarcXml, reportMail } from '../../support/report-mails.ts'

test('a report is stored, and its mail is delivered as seen', async () => {
  const { arrivals, reports, texts } = await deliver([['text/xml', dmarcXml()]])
  assert.deepEqual(
    reports.map(({ kind, domain, reportId }) => [kind, domain, reportId]),
    [['dmarc', 'y.example', '42']],
  )
  assert.deepEqual(arrivals[0]?.mail.flags, ['\\seen'])
  assert.match(texts[0] ?? '', /^Delivered-To: /)
})

test('of a bad report the mail is delivered as every other, and its header says why (mox §1.9)', async () => {
  const { arrivals, reports, texts } = await deliver([['text/xml', '<html/>']])
  assert.deepEqual(reports, [])
  assert.deepEqual(arrivals[0]?.mail.flags, [])
  assert.match(
    texts[0] ?? '',
    /^X-Postern-DMARC-Report-Error: could not parse report \(another root element\)\r\nDelivered-To: /,
  )
})

test('what comes to other addresses is not read', async () => {
  const { arrivals, reports, texts } = await deliver([['text/xml', dmarcXml()]], 'ann@y.example')
  assert.deepEqual([reports, arrivals[0]?.mail.flags], [[], []])
  assert.match(texts[0] ?? '', /^Delivered-To: /)
})

const OPTIONS: Options = {
  ...freshOptions,
  domains: {
    'y.example': {
      separators: ['+'],
      disabled: false,
      dmarcReports: 'you@y.example',
      tlsReports: 'you+tls@y.example',
    },
    'z.example': { separators: [], disabled: false, tlsReports: 'reports@y.example' },
  },
}

const addresses: readonly (readonly [address: string, kinds: readonly string[]])[] = [
  ['you@y.example', ['dmarc']],
  ['YOU@y.example', ['dmarc']],
  ['you+anything@y.example', ['dmarc']],
  ['you+TLS@y.example', ['dmarc', 'tls']],
  ['reports@y.example', ['tls']],
  ['reports@z.example', []],
  ['ann@y.example', []],
  ['you@elsewhere.example', []],
]

for (const [address, kinds] of addresses) {
  test(`at ${address} come reports of ${kinds.join(' and ') || 'no kind'}`, () => {
    assert.deepEqual(reportKindsAt(OPTIONS, parseAddress(address)), kinds)
  })
}

async function deliver(attachments: Parameters<typeof reportMail>[1], address = 'you@y.example') {
  const observed = observedReception()
  const options = { ...observed.ports.options, read: async () => OPTIONS }
  const { header, body } = reportMail('reports@remote.example', attachments)
  const refusal = await receive(
    { ...observed.ports, options },
    {
      recipients: [{ account: 'you', address: parseAddress(address) }],
      content: Buffer.from(`${header}\r\n${body}`),
      client: { ipAddress: '192.0.2.1', hello: 'x', protocol: 'ESMTP', sessionId: 'session' },
    },
  )
  assert.equal(refusal, undefined)
  return { ...observed, texts: [...observed.contents.values()].map(String) }
}
