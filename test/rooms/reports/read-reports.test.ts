import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { freshOptions, type Options } from '../../../shared/account/options.ts'
import type { Authentication, DkimResult } from '../../../shared/authentication/authentication.ts'
import { readReports } from '../../../shared/reports/read-reports.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { dmarcXml, reportMail, tlsJson, tlsPolicy } from '../../support/report-mails.ts'

const hosted = { separators: ['+'], disabled: false }
const OPTIONS: Options = {
  ...freshOptions,
  hostname: 'mx.ours.example',
  domains: { 'y.example': hosted, 'other.example': hosted },
}
const clock = fakeClock()
const PASS: DkimResult = { result: 'pass', problem: '', domain: 'remote.example', authentic: true }

test('a DMARC report is of whom DMARC vouches for', async () => {
  const [report, ...others] = await readDmarc(dmarcXml())
  assert.deepEqual(others, [])
  assert.partialDeepStrictEqual(report, {
    kind: 'dmarc',
    domain: 'y.example',
    sender: 'remote.example',
    organization: 'Remote & Sons',
    reportId: '42',
    receivedAt: clock.now(),
    passed: 7,
    failed: 2,
  })
})

test('the same report has the same digest, another sender or ID has another one', async () => {
  const digest = async (xml: string, from = 'remote.example') =>
    (await readDmarc(xml, authenticated([PASS], 'pass', from)))[0]?.digest
  const [one, again, other, elsewhere] = await Promise.all([
    digest(dmarcXml()),
    digest(dmarcXml()),
    digest(dmarcXml({ id: '43' })),
    digest(dmarcXml(), 'elsewhere.example'),
  ])
  assert.equal(one, again)
  assert.equal(new Set([one, other, elsewhere]).size, 3)
})

const dmarcErrors: readonly (readonly [
  error: string,
  xml: string,
  result?: 'fail' | 'none' | 'temperror',
])[] = [
  ['no DMARC pass', dmarcXml(), 'fail'],
  ['no DMARC pass', dmarcXml(), 'none'],
  ['no DMARC pass', dmarcXml(), 'temperror'],
  ['could not parse report (another root element)', '<html/>'],
  ['could not parse domain in published policy', dmarcXml({ domain: 'not a domain' })],
  ['published policy domain unrecognized', dmarcXml({ domain: 'sub.y.example' })],
  ['published policy domain unrecognized', dmarcXml({ domain: 'constructor' })],
  ['report has end date in the future', dmarcXml({ end: clock.now() + 61_000 })],
]

for (const [error, xml, result = 'pass'] of dmarcErrors) {
  test(`DMARC reports: ${error} (DMARC ${result})`, async () => {
    await assert.rejects(readDmarc(xml, authenticated([PASS], result)), {
      name: 'ReportError',
      message: error,
    })
  })
}

test('a clock may differ by a minute', async () => {
  assert.equal((await readDmarc(dmarcXml({ end: clock.now() + 60_000 }))).length, 1)
})

test('a report about TLS is kept for each of our domains that it is about, and the server itself', async () => {
  const policies = ['y.example', 'MX.ours.example.', 'theirs.example', 'not a domain', 'y.example'].map(
    tlsPolicy,
  )
  const reports = await readTls(authenticated([PASS]), tlsJson({ policies }))
  assert.deepEqual(
    reports.map(({ domain, sender, passed, failed }) => [domain, sender, passed, failed]),
    [
      ['y.example', 'remote.example', 4, 2],
      ['mx.ours.example', 'remote.example', 2, 1],
    ],
  )
})

test('reports about TLS: report for unknown domain', async () => {
  const report = tlsJson({ policies: [tlsPolicy('theirs.example')] })
  await assert.rejects(readTls(authenticated([PASS]), report), { message: 'report for unknown domain' })
})

const signatures: readonly (readonly [
  rule: string,
  dkim: readonly DkimResult[],
  from: string,
  good: boolean,
])[] = [
  ['of the author itself', [PASS], 'a@remote.example', true],
  ['of a domain above', [PASS], 'a@mail.remote.example', true],
  ['of a domain below', [{ ...PASS, domain: 'mail.remote.example' }], 'a@remote.example', false],
  ['of another owner above', [{ ...PASS, domain: 'co.uk' }], 'a@remote.co.uk', false],
  ['of another domain', [PASS], 'a@elsewhere.example', false],
  ['of one of two authors', [PASS], 'a@remote.example, b@elsewhere.example', false],
  ['of nobody', [], 'a@remote.example', false],
  ['that fails', [{ ...PASS, result: 'fail' }], 'a@remote.example', false],
  ['over a part of the body (l=)', [{ ...PASS, result: 'policy' }], 'a@remote.example', false],
  ['by a key for mail only', [{ ...PASS, services: ['email'] }], 'a@remote.example', false],
  ['by a key for all services', [{ ...PASS, services: ['*'] }], 'a@remote.example', true],
  [
    'by a key for reports only',
    [{ ...PASS, result: 'permerror', services: ['tlsrpt'] }],
    'a@remote.example',
    true,
  ],
  ['behind one that fails', [{ ...PASS, result: 'fail' }, PASS], 'a@remote.example', true],
]

for (const [rule, dkim, from, isGood] of signatures) {
  test(`a report about TLS is ${isGood ? 'read' : 'not read'} with a signature ${rule} (RFC 8460 §3)`, async () => {
    const reading = readTls(authenticated(dkim), tlsJson(), from)
    if (isGood) assert.equal((await reading).length, 1)
    else await assert.rejects(reading, { message: 'no acceptable DKIM signature' })
  })
}

test('where senders are not checked, they are believed', async () => {
  const content = contentOf('dmarc', dmarcXml(), 'a@remote.example')
  const [report] = await readReports(ports, OPTIONS, 'dmarc', { content, receivedAt: clock.now() })
  assert.equal(report?.sender, 'remote.example')
})

const ports = { clock, wait: async () => {} }

async function readDmarc(xml: string, authentication = authenticated([PASS])) {
  const content = contentOf('dmarc', xml, 'a@remote.example')
  return await readReports(ports, OPTIONS, 'dmarc', { content, authentication, receivedAt: clock.now() })
}

async function readTls(authentication: Authentication, report: object, from = 'a@remote.example') {
  const content = contentOf('tls', JSON.stringify(report), from)
  return await readReports(ports, OPTIONS, 'tls', { content, authentication, receivedAt: clock.now() })
}

function contentOf(kind: 'dmarc' | 'tls', report: string, from: string): Buffer {
  const mediaType = kind === 'dmarc' ? 'application/gzip' : 'application/tlsrpt+gzip'
  const { header, body } = reportMail('x', [[mediaType, gzipSync(report)]])
  return Buffer.from(`${header.replace('Reports <x>', from)}\r\n${body}`)
}

function authenticated(
  dkim: readonly DkimResult[],
  result: Authentication['dmarc']['result'] = 'pass',
  fromDomain = 'remote.example',
): Authentication {
  return {
    iprev: { result: 'pass', authentic: true },
    spf: { result: 'none', identity: 'helo', domain: '', mechanism: '', problem: '', authentic: true },
    dkim,
    dmarc: { result, fromDomain, policy: 'none', problem: '', authentic: true },
  }
}
