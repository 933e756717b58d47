import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeZone } from '../support/fake-dns.ts'
import { zoneServer } from '../support/zone-server.ts'
import { runPostern } from './admin-server.ts'

const ZONE: FakeZone = {
  '_dmarc.x.example': {
    TXT: ['v=spf1 -all', 'v=DMARC1; p=reject; sp=none; adkim=s; pct=50; rua=mailto:r@x.example'],
  },
  '_dmarc.plain.example': { TXT: ['v=DMARC1; p=none'], authentic: false },
  '_dmarc.two.example': { TXT: ['v=DMARC1; p=none', 'v=DMARC1; p=reject'] },
  '_dmarc.broken.example': { TXT: ['v=DMARC1; p=maybe'] },
}
const RECORD = 'v=DMARC1; p=reject; sp=none; adkim=s; pct=50; rua=mailto:r@x.example'

const cases: readonly (readonly [domain: string, status: number, lines: readonly string[]])[] = [
  [
    'X.example.',
    0,
    [
      `record:      ${RECORD}`,
      'at:          _dmarc.x.example',
      'dnssec:      with dnssec',
      'policy:      reject',
      'subdomains:  none',
      'alignment:   DKIM strict, SPF relaxed',
      'applies to:  50 % of the mail that fails',
    ],
  ],
  [
    'mail.x.example',
    0,
    [
      `record:      ${RECORD}`,
      'at:          _dmarc.x.example (the organization of the domain)',
      'dnssec:      with dnssec',
      'policy:      none',
      'subdomains:  none',
      'alignment:   DKIM strict, SPF relaxed',
      'applies to:  50 % of the mail that fails',
    ],
  ],
  [
    'plain.example',
    0,
    [
      'record:      v=DMARC1; p=none',
      'at:          _dmarc.plain.example',
      'dnssec:      without dnssec',
      'policy:      none',
      'subdomains:  none',
      'alignment:   DKIM relaxed, SPF relaxed',
      'applies to:  100 % of the mail that fails',
    ],
  ],
  ['none.example', 1, ['result:   none', 'problem:  no record', 'dnssec:   with dnssec']],
  ['two.example', 1, ['result:   none', 'problem:  several records', 'dnssec:   with dnssec']],
  ['broken.example', 1, ['result:   permerror', 'problem:  malformed record', 'dnssec:   with dnssec']],
]
for (const [domain, status, lines] of cases) {
  test(`dmarc lookup ${domain}`, async (t) => {
    const { address } = await zoneServer(t, ZONE)
    const ended = await runPostern(['dmarc', 'lookup', domain, '--server', address])
    assert.deepEqual(
      { status: ended.status, stdout: ended.stdout, stderr: ended.stderr },
      { status, stdout: `${lines.join('\n')}\n`, stderr: '' },
    )
  })
}

test('dmarc lookup refuses what is no domain, and says why', async () => {
  const { status, stderr } = await runPostern(['dmarc', 'lookup', 'a@x.example'])
  assert.equal(status, 1)
  assert.match(stderr, /^error: domain: malformed domain name/)
})
