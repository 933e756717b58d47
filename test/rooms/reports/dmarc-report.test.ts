import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDmarcReport } from '../../../shared/reports/dmarc-report.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { dmarcRecord, dmarcXml, REPORT_BEGIN, REPORT_END } from '../../support/report-mails.ts'

const ports = { clock: fakeClock(), wait: async () => {} }

test('a report is read as a whole (RFC 7489 appendix C)', async () => {
  const { details, ...report } = await read(dmarcXml())
  assert.deepEqual(report, {
    organization: 'Remote & Sons',
    reportId: '42',
    beginAt: REPORT_BEGIN,
    endAt: REPORT_END,
    policyDomain: 'y.example',
    passed: 7,
    failed: 2,
  })
  const { rows, ...others } = details
  assert.deepEqual(others, {
    email: 'dmarc@remote.example',
    policy: { adkim: 'r', aspf: 'r', p: 'reject', sp: 'none', pct: '100' },
    errors: [],
    omittedRows: 0,
  })
  assert.deepEqual(rows[0], {
    sourceIp: '192.0.2.9',
    count: 7,
    disposition: 'none',
    dkim: 'pass',
    spf: 'fail',
    reasons: ['forwarded: a <list>'],
    headerFrom: 'y.example',
    envelopeFrom: 'b.example',
    dkimResults: [{ domain: 'y.example', result: 'pass', selector: 'sel' }],
    spfResults: [{ domain: 'b.example', result: 'pass' }],
  })
})

test('a report may come as UTF-16', async () => {
  const xml = Buffer.from(`\ufeff${dmarcXml()}`, 'utf16le')
  assert.equal((await readDmarcReport(ports, xml)).reportId, '42')
})

test('500 rows are kept, the messages of all are counted', async () => {
  const records = Array.from({ length: 1200 }, () => dmarcRecord(1, 'pass'))
  const { passed, details } = await read(dmarcXml({ records }))
  assert.deepEqual([passed, details.rows.length, details.omittedRows], [1200, 500, 700])
})

test('fewer rows are kept of a report that says much, and its texts are cut', async () => {
  const record = dmarcRecord(1, 'pass').replaceAll('y.example', 'ü'.repeat(3000))
  const { details } = await read(dmarcXml({ records: Array.from({ length: 400 }, () => record) }))
  assert.equal(details.rows[0]?.headerFrom.length, 255)
  assert.ok(details.rows.length > 50 && details.omittedRows > 50)
  assert.ok(Buffer.byteLength(JSON.stringify(details)) < 260_000)
})

test('no control character of a report is kept', async () => {
  const { organization } = await read(dmarcXml().replace('Remote', 'Re&#27;[1m\nmote'))
  assert.equal(organization, 'Re [1m mote & Sons')
})

const wrong: readonly (readonly [rule: string, xml: string, why: RegExp])[] = [
  ['no XML', 'hello', /no XML/],
  ['another root element', '<html/>', /another root element/],
  ['a document type', `<!DOCTYPE feedback>${dmarcXml().slice(40)}`, /document type/],
  ['no metadata', dmarcXml().replaceAll('report_metadata', 'x'), /no report_metadata/],
  ['no policy', dmarcXml().replaceAll('policy_published', 'x'), /no policy_published/],
  ['no ID', dmarcXml({ id: '' }), /no report_id/],
  ['no begin', dmarcXml().replaceAll('begin>', 'x>'), /no date_range/],
  ['an end that is no number', dmarcXml({ end: Number.NaN }), /no date_range/],
  ['an end before its begin', dmarcXml({ end: REPORT_BEGIN - 1000 }), /no date_range/],
  [
    'a count that is no number',
    dmarcXml({ records: [dmarcRecord('-1', 'pass')] }),
    /count that is no number/,
  ],
]

for (const [rule, xml, why] of wrong) {
  test(`no report is one with ${rule}`, async () => {
    await assert.rejects(read(xml), {
      name: 'ReportError',
      message: new RegExp(`^could not parse report \\(.*${why.source}.*\\)$`),
    })
  })
}

test('a report that takes more than half a minute to read is given up', async () => {
  const clock = fakeClock()
  const slow = { clock, wait: async () => clock.advance(11_000) }
  const records = Array.from({ length: 1000 }, () => dmarcRecord(1, 'pass'))
  await assert.rejects(readDmarcReport(slow, Buffer.from(dmarcXml({ records }))), /took too long/)
})

async function read(xml: string) {
  return await readDmarcReport(ports, Buffer.from(xml))
}
