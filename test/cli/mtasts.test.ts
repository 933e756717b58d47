import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FakeZone } from '../support/fake-dns.ts'
import { policyHost } from '../support/policy-host.ts'
import { zoneServer } from '../support/zone-server.ts'
import { runPostern } from './admin-server.ts'

const RECORD: FakeZone = { '_mta-sts.x.example': { TXT: ['v=STSv1; id=2026'] } }
const MX: FakeZone = { 'x.example': { MX: [[10, 'mx.x.example'] as const] } }
const OTHER_MX: FakeZone = {
  'x.example': { MX: [[10, 'mx.x.example'] as const, [20, 'b.example'] as const] },
}

function policy(mode: string, maxAge = 604_800): string {
  return `version: STSv1\nmode: ${mode}\nmx: *.x.example\nmax_age: ${maxAge}\na: b\n`
}

const ENFORCED = [
  'record of x.example: id 2026',
  'policy of x.example:',
  '  version: STSv1',
  '  mode: enforce',
  '  mx: *.x.example',
  '  max_age: 604800',
  '  a: b',
]

interface Case {
  readonly what: string
  readonly zone: FakeZone
  readonly answer: { readonly text: string; readonly status?: number }
  readonly status: number
  readonly lines: readonly string[]
}

const cases: readonly Case[] = [
  {
    what: 'a policy that lists all hosts',
    zone: { ...RECORD, ...MX },
    answer: { text: policy('enforce') },
    status: 0,
    lines: ENFORCED,
  },
  {
    what: 'a policy that does not list a host',
    zone: { ...RECORD, ...OTHER_MX },
    answer: { text: policy('enforce') },
    status: 0,
    lines: [
      ...ENFORCED,
      'warning: the policy does not list the mail host b.example, which gets no mail from who goes by it',
    ],
  },
  {
    what: 'a policy that does not list the domain itself, which has no MX',
    zone: RECORD,
    answer: { text: policy('testing', 60) },
    status: 0,
    lines: [
      ...ENFORCED.map((line) => line.replace('enforce', 'testing').replace('604800', '60')),
      'warning: the mode testing only asks for reports, and protects no mail',
      'warning: max_age is less than a day: who can block the policy for as long turns it off',
      'warning: the policy does not list the mail host x.example, which would get no mail if it were enforced',
    ],
  },
  {
    what: 'a policy for longer than may be',
    zone: { ...RECORD, ...MX },
    answer: { text: policy('enforce', 31_557_601) },
    status: 0,
    lines: [
      ...ENFORCED.map((line) => line.replace('604800', '31557601')),
      'warning: max_age is more than 31557600, the most that RFC 8461 §3.2 allows',
    ],
  },
  {
    what: 'the mode none',
    zone: RECORD,
    answer: { text: policy('none') },
    status: 0,
    lines: [
      ...ENFORCED.map((line) => line.replace('enforce', 'none')),
      'warning: the mode none asks for nothing: it is there to take an earlier policy back',
    ],
  },
  {
    what: 'a malformed policy, without escape sequences',
    zone: RECORD,
    answer: { text: 'mode: \x1b[31m\n' },
    status: 1,
    lines: [
      'record of x.example: id 2026',
      'no policy: the policy is malformed: the value of mode is empty or not printable',
    ],
  },
  {
    what: 'no policy',
    zone: RECORD,
    answer: { text: '', status: 404 },
    status: 1,
    lines: ['record of x.example: id 2026', 'no policy: the policy host has no policy (404)'],
  },
  {
    what: 'no record',
    zone: MX,
    answer: { text: policy('enforce') },
    status: 1,
    lines: ['no policy: there is no MTA-STS record'],
  },
]
for (const { what, zone, answer, status, lines } of cases) {
  test(`mtasts lookup shows ${what}`, async (t) => {
    const ended = await lookUp(t, zone, answer)
    assert.deepEqual(
      { status: ended.status, stdout: ended.stdout, stderr: ended.stderr },
      { status, stdout: `${lines.join('\n')}\n`, stderr: '' },
    )
  })
}

test('mtasts lookup --json prints record, policy and warnings', async (t) => {
  const { stdout } = await lookUp(t, { ...RECORD, ...MX }, { text: policy('enforce') }, '--json')
  assert.deepEqual(JSON.parse(stdout), {
    domain: 'x.example',
    kind: 'found',
    policy: { mode: 'enforce', maxAgeSeconds: 604_800, mx: ['*.x.example'], extensions: [['a', 'b']] },
    isFresh: true,
    record: { id: '2026' },
    warnings: [],
  })
})

test('mtasts lookup asks no policy host on loopback unless it is told to', async (t) => {
  const { address } = await zoneServer(t, { ...RECORD, 'mta-sts.x.example': { A: ['127.0.0.1'] } })
  const { status, stdout } = await runPostern(['mtasts', 'lookup', 'x.example', '--server', address])
  assert.equal(status, 1)
  assert.match(stdout, /^no policy: the address 127\.0\.0\.1 of mta-sts\.x\.example is not public: /m)
})

for (const [args, error] of [
  [['x..example'], /^error: domain: malformed domain name/],
  [
    ['x.example', '--policy-server', 'localhost:443'],
    /^error: --policy-server: "localhost:443" must be an IP/,
  ],
  [['x.example', '--policy-server', '192.0.2.1'], /^error: --policy-server: /],
  [['x.example', '--policy-server', '192.0.2.1:65536'], /^error: --policy-server: /],
  [['x.example', '--policy-server', '::1:443'], /^error: --policy-server: /],
] as const) {
  test(`mtasts lookup refuses ${args.join(' ')}, and says why`, async () => {
    const { status, stderr } = await runPostern(['mtasts', 'lookup', ...args])
    assert.equal(status, 1)
    assert.match(stderr, error)
  })
}

async function lookUp(
  t: TestContext,
  zone: FakeZone,
  answer: { readonly text: string; readonly status?: number },
  ...args: readonly string[]
) {
  const { address } = await zoneServer(t, zone)
  const host = await policyHost(t, 'x.example', () => answer)
  return await runPostern(
    ['mtasts', 'lookup', 'x.example.', '--server', address, '--policy-server', host.address, ...args],
    { NODE_EXTRA_CA_CERTS: host.authorityFile },
  )
}
