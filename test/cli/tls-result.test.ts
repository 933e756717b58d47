import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../shared/base/clock.ts'
import { byDayResults, dayOf } from '../../shared/tls-results/day-results.ts'
import { testAdmin } from '../support/admin-ports.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { tlsFailure, tlsResult } from '../support/tls-result.ts'
import { posternFor } from './admin-server.ts'

const now = fakeClock().now()

/** Results of today and yesterday, of two domains. */
function adminWithResults() {
  const admin = testAdmin()
  const failures = [
    tlsFailure({ reason: '\x1b[2Jexpired' }),
    tlsFailure({ resultType: 'tlsa-invalid', count: 0 }),
  ]
  const today = [tlsResult({ policyType: 'sts', success: 7, failures })]
  const yesterday = [tlsResult({ recipientDomain: 'y.example', policyDomain: 'mx.y.example', isHost: true })]
  admin.state.tlsResults = [...byDayResults(yesterday, dayOf(now - DAY)), ...byDayResults(today, dayOf(now))]
  return admin
}

test('postern tlsresult list shows counts and failures, today first, without control characters', async (t) => {
  const postern = await posternFor(t, adminWithResults())
  const { stdout } = await postern('tlsresult', 'list')
  assert.deepEqual(
    stdout.split('\n').map((line) => line.replace(/ {2,}/g, ' | ')),
    [
      'DAY | DOMAIN | POLICY OF | POLICY | PASSED | FAILED',
      '2026-06-01 | x.example | x.example | sts | 7 | 1',
      '2026-05-31 | y.example | mx.y.example | no-policy-found | 1 | 0',
      '',
      'DAY | DOMAIN | FAILURE | COUNT | MX | MX IP | WHY',
      '2026-06-01 | x.example | certificate-expired | 1 | mx.x.example | 192.0.2.1 | [2Jexpired the certificate of mx.x.example has expired',
      '2026-06-01 | x.example | tlsa-invalid | 0 | mx.x.example | 192.0.2.1 | the certificate of mx.x.example has expired',
      '',
    ],
  )
})

test('postern tlsresult list shows one domain, and as many as are wanted', async (t) => {
  const postern = await posternFor(t, adminWithResults())
  const days = async (...args: string[]) => {
    const { stdout } = await postern('tlsresult', 'list', '--json', ...args)
    return (JSON.parse(stdout) as { Day: string }[]).map(({ Day }) => Day)
  }
  assert.deepEqual(await days('--domain', 'Y.example'), ['2026-05-31'])
  assert.deepEqual(await days('--limit', '1'), ['2026-06-01'])
  assert.deepEqual(await days('--domain', 'z.example'), [])
})

const refused: readonly (readonly [args: readonly string[], stderr: RegExp])[] = [
  [['--domain', 'a..example'], /^error: domain: malformed domain name "a\.\.example"/],
  [['--limit', '0'], /^error: limit: must be a whole number from 1 to 1000/],
]

for (const [args, expected] of refused) {
  test(`postern tlsresult list ${args.join(' ')} is refused`, async (t) => {
    const postern = await posternFor(t, adminWithResults())
    const { status, stderr } = await postern('tlsresult', 'list', ...args)
    assert.match(stderr, expected)
    assert.equal(status, 1)
  })
}
