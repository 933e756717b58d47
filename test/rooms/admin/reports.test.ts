import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { DAY } from '../../../shared/base/clock.ts'
import type { Report } from '../../../shared/reports/report.ts'
import { testAdmin } from '../../support/admin-ports.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const now = fakeClock().now()
const hosted = { separators: [], disabled: false }
const facts = { sender: 'remote.example', organization: 'Remote', beginAt: now - 9 * DAY, receivedAt: now }

function dmarc(domain: string, reportId: string, daysAgo: number): Report {
  const details = { email: '', policy: { p: 'reject' }, errors: [], rows: [], omittedRows: 3 }
  const name = { domain: parseDomainName(domain), digest: `digest${reportId}`, reportId }
  return { ...facts, ...name, endAt: now - daysAgo * DAY, passed: 7, failed: 2, kind: 'dmarc', details }
}

const tls: Report = {
  ...facts,
  domain: parseDomainName('mx.example'),
  digest: 'digest9',
  reportId: '9',
  endAt: now - DAY,
  passed: 1,
  failed: 0,
  kind: 'tls',
  details: { contact: 'tls@remote.example', policies: [], omittedRows: 0 },
}

const REPORTS = [dmarc('a.example', '1', 3), dmarc('b.example', '2', 1), dmarc('a.example', '3', 2), tls]

const lists: readonly (readonly [query: string, ids: readonly string[]])[] = [
  ['dmarc', ['2', '3', '1']],
  ['dmarc?domain=a.example', ['3', '1']],
  ['dmarc?since=-50h', ['2', '3']],
  ['dmarc?since=2026-05-31T00:00:00Z', ['2']],
  ['dmarc?limit=1', ['2']],
  ['tls', ['9']],
  ['tls?domain=a.example', []],
]

for (const [query, ids] of lists) {
  test(`GET /reports/${query} lists the newest first`, async () => {
    const found = (await arrange().done('GET', `/reports/${query}`)) as { ReportID: string }[]
    assert.deepEqual(
      found.map(({ ReportID }) => ReportID),
      ids,
    )
  })
}

test('a report is found under its ID', async () => {
  const admin = arrange()
  const [listed] = (await admin.done('GET', '/reports/dmarc?limit=1')) as { ID: string }[]
  assert.deepEqual(listed, {
    ID: 'dmarc/b.example/2026-05-31T00:00:00.000Z/digest2',
    Kind: 'dmarc',
    Domain: { ASCII: 'b.example', Unicode: '' },
    Sender: 'remote.example',
    Organization: 'Remote',
    ReportID: '2',
    Begin: '2026-05-23T00:00:00.000Z',
    End: '2026-05-31T00:00:00.000Z',
    Received: '2026-06-01T00:00:00.000Z',
    Passed: 7,
    Failed: 2,
  })
  assert.deepEqual(await admin.done('GET', `/reports/${listed?.ID}`), {
    ...listed,
    DMARC: { Email: '', Policy: { p: 'reject' }, Errors: [], Rows: [], OmittedRows: 3 },
  })
})

const wrong: readonly (readonly [path: string, status: number, message: RegExp])[] = [
  ['dmarc?since=yesterday', 400, /^since: must be a duration from now such as -720h, or RFC 3339$/],
  ['dmarc?since=99999999999h', 400, /^since: /],
  ['dmarc?domain=a..b', 400, /^domain: malformed/],
  ['dmarc?limit=1001', 400, /^limit: /],
  ['arf', 404, /there is no GET/],
  ['dmarc/a.example/2026-05-31T00:00:00.000Z/none', 404, /^there is no such report: dmarc\/a\.example/],
  ['dmarc/a.example/yesterday/digest1', 404, /^there is no such report/],
]

for (const [path, status, message] of wrong) {
  test(`GET /reports/${path} is ${status}`, async () => {
    const answer = await arrange().call('GET', `/reports/${path}`)
    assert.equal(answer.status, status)
    assert.match((answer.json as { Message: string }).Message, message)
  })
}

function arrange() {
  const admin = testAdmin({ hostname: 'mx.example', domains: { 'a.example': hosted, 'b.example': hosted } })
  admin.state.reports = REPORTS
  return admin
}
