import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { dnsServer } from '../support/dns-server.ts'
import { runPostern } from './admin-server.ts'

const AUTHENTIC = 0x20
const texts = new Map([
  ['pass.example', 'v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all exp=why.example'],
  ['why.example', 'not from %{i}'],
  ['broken.example', 'v=spf1 moo'],
])

async function check(context: TestContext, ...args: readonly string[]) {
  const { address } = await dnsServer(context, ({ name }) => {
    const data = texts.get(name)
    return { flags: AUTHENTIC, answers: data === undefined ? [] : [{ name, type: 'TXT', data, ttl: 60 }] }
  })
  return await runPostern(['spf', 'check', ...args, '--server', address])
}

const outcomes: readonly { args: readonly string[]; status: number; lines: readonly string[] }[] = [
  {
    args: ['ann@pass.example', '192.0.2.1'],
    status: 0,
    lines: [
      'result:     pass',
      'domain:     pass.example (mailfrom)',
      'dnssec:     with dnssec',
      'mechanism:  ip4:192.0.2.0/24',
    ],
  },
  {
    args: ['pass.example', '198.51.100.1'],
    status: 1,
    lines: [
      'result:       fail',
      'domain:       pass.example (mailfrom)',
      'dnssec:       with dnssec',
      'mechanism:    all',
      'explanation:  the domain says: not from 198.51.100.1',
    ],
  },
  {
    args: ['', '2001:db8::1', '--helo', 'PASS.example'],
    status: 0,
    lines: [
      'result:     pass',
      'domain:     pass.example (helo)',
      'dnssec:     with dnssec',
      'mechanism:  ip6:2001:db8::/32',
    ],
  },
  {
    args: ['broken.example', '192.0.2.1'],
    status: 1,
    lines: [
      'result:   permerror',
      'domain:   broken.example (mailfrom)',
      'dnssec:   with dnssec',
      'problem:  syntax error in moo',
    ],
  },
  {
    args: ['none.example', '192.0.2.1'],
    status: 1,
    lines: ['result:  none', 'domain:  none.example (mailfrom)', 'dnssec:  with dnssec'],
  },
]
for (const { args, status, lines } of outcomes) {
  test(`spf check ${args.map((arg) => arg || '""').join(' ')}`, async (context) => {
    const ended = await check(context, ...args)
    assert.deepEqual(
      { status: ended.status, stdout: ended.stdout, stderr: ended.stderr },
      { status, stdout: `${lines.join('\n')}\n`, stderr: '' },
    )
  })
}

test('spf check --json prints the outcome', async (context) => {
  const { stdout } = await check(context, 'pass.example', '192.0.2.1', '--json')
  assert.deepEqual(JSON.parse(stdout), {
    identity: 'mailfrom',
    domain: 'pass.example',
    result: 'pass',
    mechanism: 'ip4:192.0.2.0/24',
    problem: '',
    authentic: true,
  })
})

for (const { args, error } of [
  { args: ['a@', '192.0.2.1'], error: /^error: sender: malformed domain name/ },
  { args: ['pass.example', '192.0.2'], error: /^error: ip: "192\.0\.2" must be an IP address\n$/ },
  { args: ['', '192.0.2.1'], error: /^error: --helo: is needed where the sender is empty\n$/ },
]) {
  test(`spf check refuses ${JSON.stringify(args)}, and says why`, async (context) => {
    const { status, stderr } = await check(context, ...args)
    assert.equal(status, 1)
    assert.match(stderr, error)
  })
}

test('spf check refuses what is no server', async () => {
  const { status, stderr } = await runPostern(['spf', 'check', 'pass.example', '192.0.2.1', '--server', 'x'])
  assert.equal(status, 1)
  assert.match(stderr, /--server/)
})
