import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDomainName } from '../../shared/address/domain-name.ts'
import { DAY } from '../../shared/base/clock.ts'
import { testAdmin } from '../support/admin-ports.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { posternFor } from './admin-server.ts'

const now = fakeClock().now()
const domain = parseDomainName('shop.example')
const failure = {
  resultType: 'certificate-expired',
  count: 1,
  sendingIp: '192.0.2.9',
  receivingMx: 'mx.shop.example',
  receivingHelo: '',
  receivingIp: '',
  information: '\x1b[2Jhttps://remote.example',
  reasonCode: 'expired',
}
const policy = { type: 'sts', domain, texts: [], mxHosts: ['mx.shop.example'], succeeded: 2, failed: 1 }

test('reports about TLS: list since days ago, show without control characters', async (t) => {
  const admin = testAdmin({ domains: { [domain]: { separators: [], disabled: false } } })
  admin.state.reports = [1, 3].map((days) => ({
    kind: 'tls',
    domain,
    digest: `digest${days}`,
    sender: 'remote.example',
    organization: 'Remote',
    reportId: String(days),
    beginAt: now - 9 * DAY,
    endAt: now - days * DAY,
    receivedAt: now,
    passed: 2,
    failed: 1,
    details: {
      contact: 'tls@remote.example',
      policies: [{ ...policy, failures: [failure] }],
      omittedRows: 4,
    },
  }))
  const postern = await posternFor(t, admin)
  const id = 'tls/shop.example/2026-05-31T00:00:00.000Z/digest1'
  const listed = await postern('report', 'list', 'tls', '--since', '2d')
  assert.deepEqual(listed.stdout.split('\n').slice(1), [
    `${id}  2026-05-31T00:00:00.000Z  remote.example  2       1`,
    '',
  ])
  const { stdout } = await postern('report', 'show', id)
  assert.match(stdout, /^Contact: +tls@remote\.example$/m)
  assert.match(stdout, /^sts +2 +1 +mx\.shop\.example$/m)
  assert.match(stdout, /^certificate-expired +1 +192\.0\.2\.9 +mx\.shop\.example +- +expired +\[2Jhttps/m)
  assert.match(stdout, /\n\n4 more were not kept\n$/)
})

const wrong: readonly (readonly [args: readonly string[], stderr: RegExp])[] = [
  [['list', 'arf'], /'arf' is invalid for argument 'kind'\. Allowed choices are dmarc, tls/],
  [['list', 'dmarc', '--since', 'yesterday'], /^error: since: must be a duration from now/],
  [
    ['show', 'dmarc/shop.example'],
    /^error: <id>: must be the ID of a report, as postern report list shows it/,
  ],
  [['show', 'dmarc/shop.example/2026-05-31T00:00:00.000Z/none'], /^error: there is no such report/],
]

for (const [args, stderr] of wrong) {
  test(`report ${args.join(' ')} is refused`, async (t) => {
    const postern = await posternFor(t, testAdmin())
    const { status, ...said } = await postern('report', ...args)
    assert.equal(status, 1)
    assert.match(said.stderr, stderr)
  })
}
