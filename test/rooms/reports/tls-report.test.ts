import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTlsReport, tlsDetails } from '../../../shared/reports/tls-report.ts'
import { REPORT_BEGIN, REPORT_END, tlsJson, tlsPolicy } from '../../support/report-mails.ts'

test('a report is read as a whole (RFC 8460 §4.4)', () => {
  assert.deepEqual(read(tlsJson()), {
    organization: 'Remote',
    reportId: 'tls-42',
    contact: 'tls@remote.example',
    beginAt: REPORT_BEGIN,
    endAt: REPORT_END,
    policies: [
      {
        type: 'sts',
        domain: 'y.example',
        texts: ['version: STSv1', 'mode: testing'],
        mxHosts: ['*.mail.example'],
        succeeded: 2,
        failed: 1,
        failures: [
          {
            resultType: 'certificate-expired',
            count: 1,
            sendingIp: '192.0.2.9',
            receivingMx: 'mx.y.example',
            receivingHelo: '',
            receivingIp: '203.0.113.5',
            information: '',
            reasonCode: 'X509_V_ERR_CERT_HAS_EXPIRED',
          },
        ],
      },
    ],
  })
})

const dates: readonly (readonly [written: string, instant: string])[] = [
  ['2026-05-31T23:59:59Z', '2026-05-31T23:59:59.000Z'],
  ['2026-05-31T23:59:59z', '2026-05-31T23:59:59.000Z'],
  ['2026-05-31T23:59:59', '2026-05-31T23:59:59.000Z'],
  ['2026-05-31 23:59:59', '2026-05-31T23:59:59.000Z'],
  ['2026-05-31T23:59:59.9999999Z', '2026-05-31T23:59:59.999Z'],
  ['2026-05-31T23:59:59+02:00', '2026-05-31T21:59:59.000Z'],
]

for (const [written, instant] of dates) {
  test(`the date ${written} is ${instant}`, () => {
    const range = { 'start-datetime': '2026-05-01T00:00:00Z', 'end-datetime': written }
    assert.equal(new Date(read(tlsJson({ 'date-range': range })).endAt).toISOString(), instant)
  })
}

test('reporters leave out what they do not know, and write one text for a list', () => {
  const policy = { 'policy-type': 'no-policy-found', 'policy-domain': 'y.example', 'mx-host': 'mx.y.example' }
  const summary = { 'total-successful-session-count': 5 }
  const [found] = read(
    tlsJson({
      'organization-name': null,
      policies: [{ policy, summary, 'failure-details': null, extra: 1 }],
    }),
  ).policies
  assert.partialDeepStrictEqual(found, {
    texts: [],
    mxHosts: ['mx.y.example'],
    succeeded: 5,
    failed: 0,
    failures: [],
  })
})

test('a report may begin with a byte order mark', () => {
  const bytes = Buffer.from(`\ufeff${JSON.stringify(tlsJson())}`)
  assert.equal(readTlsReport(bytes).reportId, 'tls-42')
})

const wrong: readonly (readonly [rule: string, text: string, why: RegExp])[] = [
  ['no JSON', 'hello', /no JSON/],
  ['deep nesting', '['.repeat(1_000_000), /no JSON/],
  ['a list', '[]', /malformed or missing object/],
  ['no ID', JSON.stringify(tlsJson({ 'report-id': undefined })), /report-id/],
  ['no dates', JSON.stringify(tlsJson({ 'date-range': {} })), /date-range\.start-datetime/],
  [
    'a date that is none',
    JSON.stringify(tlsJson({ 'date-range': { 'start-datetime': 'May', 'end-datetime': 'June' } })),
    /malformed date-range/,
  ],
  ['no policies', JSON.stringify(tlsJson({ policies: undefined })), /policies/],
  [
    'a policy without domain',
    JSON.stringify(tlsJson({ policies: [{ policy: {}, summary: {} }] })),
    /policies\.policy/,
  ],
  [
    'a count below zero',
    JSON.stringify(tlsJson()).replace('"total-failure-session-count":1', '"total-failure-session-count":-1'),
    /total-failure-session-count/,
  ],
]

for (const [rule, text, why] of wrong) {
  test(`no report is ${rule}`, () => {
    assert.throws(() => readTlsReport(Buffer.from(text)), {
      name: 'ReportError',
      message: new RegExp(`^could not parse TLS report \\(.*${why.source}.*\\)$`),
    })
  })
}

test('500 policies and failures are kept, the others are counted', () => {
  const failure = (tlsPolicy('y.example')['failure-details'] as object[])[0]
  const policy = { ...tlsPolicy('y.example'), 'failure-details': Array.from({ length: 700 }, () => failure) }
  const report = read(tlsJson({ policies: [policy, policy] }))
  const { policies, omittedRows } = tlsDetails(report, report.policies)
  assert.deepEqual(
    policies.map(({ failures }) => failures.length),
    [498, 0],
  )
  assert.equal(omittedRows, 902)
})

function read(report: object) {
  return readTlsReport(Buffer.from(JSON.stringify(report)))
}
