import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Answer, Packet } from 'dns-packet'
import { extendedError, options } from '../rooms/dns/wire.ts'
import { type DnsTestServer, dnsServer } from '../support/dns-server.ts'
import { runPostern } from './admin-server.ts'

const AUTHENTIC = 0x20
const SERVFAIL = 2
const NXDOMAIN = 3

const record = (name: string, type: string, data: unknown) => ({ name, type, data, ttl: 60 }) as Answer

/** Looks up against a server with this reply to every question. */
async function lookUp(context: TestContext, reply: Packet, ...args: readonly string[]) {
  const server = await dnsServer(context, () => reply)
  return { server, ...(await lookUpAt(server, ...args)) }
}

async function lookUpAt({ address }: DnsTestServer, ...args: readonly string[]) {
  return await runPostern(['dns', 'lookup', ...args, '--server', address])
}

const tlsa = { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('00ff', 'hex') }
const odd = { usage: 200, selector: 7, matchingType: 9, certificate: Buffer.from('00', 'hex') }
const lines: readonly (readonly [args: readonly string[], answers: readonly Answer[], expected: string])[] = [
  [
    ['a', 'x.example'],
    [record('x.example', 'A', '192.0.2.1')],
    '1 A record of x.example, with dnssec\n  192.0.2.1',
  ],
  [
    ['AAAA', 'x.example'],
    [record('x.example', 'AAAA', '::1')],
    '1 AAAA record of x.example, with dnssec\n  ::1',
  ],
  [
    ['x.example.'],
    [record('x.example', 'A', '192.0.2.1'), record('x.example', 'AAAA', '::1')],
    '2 addresses of x.example, with dnssec\n  192.0.2.1\n  ::1',
  ],
  [
    ['a', 'x.example'],
    [record('x.example', 'CNAME', 'y.example'), record('y.example', 'A', '192.0.2.1')],
    '1 A record of x.example, canonical name y.example, with dnssec\n  192.0.2.1',
  ],
  [
    ['mx', 'b\u00fccher.example'],
    [record('xn--bcher-kva.example', 'MX', { preference: 5, exchange: 'mx.example' })],
    '1 MX record of xn--bcher-kva.example, with dnssec\n  5 mx.example',
  ],
  [
    ['txt', 'x.example'],
    [record('x.example', 'TXT', ['say "a"', '\x1b[31m'])],
    '1 TXT record of x.example, with dnssec\n  "say \\"a\\"\\u001b[31m"',
  ],
  [
    ['ptr', '192.0.2.1'],
    [record('1.2.0.192.in-addr.arpa', 'PTR', 'x.example')],
    '1 PTR record of 1.2.0.192.in-addr.arpa, with dnssec\n  x.example',
  ],
  [
    ['cname', 'x.example'],
    [record('x.example', 'CNAME', 'y.example')],
    '1 CNAME record of x.example, with dnssec\n  y.example',
  ],
  [
    ['ns', 'x.example'],
    [record('x.example', 'NS', 'ns2.example'), record('x.example', 'NS', 'ns1.example')],
    '2 NS records of x.example, with dnssec\n  ns2.example\n  ns1.example',
  ],
  [
    ['srv', '_imap._tcp.x.example'],
    [record('_imap._tcp.x.example', 'SRV', { priority: 1, weight: 2, port: 143, target: 'y.example' })],
    '1 SRV record of _imap._tcp.x.example, with dnssec\n  1 2 143 y.example',
  ],
  [
    ['tlsa', '_25._tcp.x.example'],
    [record('_25._tcp.x.example', 'TLSA', tlsa), record('_25._tcp.x.example', 'TLSA', odd)],
    '2 TLSA records of _25._tcp.x.example, with dnssec\n  3 1 1 00ff (dane-ee spki sha2-256)\n  200 7 9 00 (200 7 9)',
  ],
]

for (const [args, answers, expected] of lines) {
  test(`postern dns lookup ${args.join(' ')} shows what there is`, async (t) => {
    const server = await dnsServer(t, ({ type }) => ({
      answers: answers.filter((answer) => answer.type === type || answer.type === 'CNAME'),
      flags: AUTHENTIC,
    }))
    const { status, stdout, stderr } = await lookUpAt(server, ...args)
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${expected}\n`, stderr: '' })
  })
}

const reasons: readonly (readonly [args: readonly string[], reply: Packet, expected: string])[] = [
  [['mx', 'x.example'], { flags: NXDOMAIN | AUTHENTIC }, 'x.example does not exist, with dnssec'],
  [['mx', 'x.example'], {}, 'x.example has no MX record, without dnssec'],
  [['x.example'], {}, 'x.example has no address, without dnssec'],
  [
    ['mx', 'x.example'],
    { flags: SERVFAIL, additionals: [options(extendedError(6, 'for\x1bx'))] },
    'failed: MX x.example: SERVFAIL: dnssec bogus, for x',
  ],
]

for (const [args, reply, expected] of reasons) {
  test(`postern dns lookup: "${expected}" ends with 1`, async (t) => {
    const { status, stdout } = await lookUp(t, reply, ...args)
    assert.deepEqual({ status, stdout }, { status: 1, stdout: `${expected}\n` })
  })
}

test('postern dns lookup --json shows the answer, with octets in hexadecimal', async (t) => {
  const answers = [record('x.example', 'TLSA', tlsa)]
  const { stdout } = await lookUp(t, { answers, flags: AUTHENTIC }, 'tlsa', 'x.example', '--json')
  assert.deepEqual(JSON.parse(stdout), {
    type: 'TLSA',
    name: 'x.example',
    kind: 'found',
    values: [{ usage: 3, selector: 1, matchingType: 1, data: '00ff' }],
    canonicalName: 'x.example',
    authentic: true,
  })
  const failure = await lookUp(t, { flags: SERVFAIL }, 'a', 'x.example', '--json')
  assert.deepEqual(JSON.parse(failure.stdout), {
    type: 'A',
    name: 'x.example',
    kind: 'failed',
    error: 'A x.example: SERVFAIL',
  })
})

const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [
    ['soa', 'x.example'],
    /^error: type: "soa" must be one of a, aaaa, ips, mx, txt, ptr, cname, ns, srv, tlsa\n$/,
  ],
  [['a', 'x..example'], /^error: name: "x..example" must be a domain name/],
  [['a', '192.0.2.1'], /^error: name: "192.0.2.1" must be a domain name/],
  [
    ['a', `${'x'.repeat(64)}.example`],
    /^error: name: "x+.example" must be a domain name, of labels of 1 to 63 octets/,
  ],
  [['ptr', 'x.example'], /^error: name: "x.example" must be an IP address\n$/],
  [
    ['a', 'x.example', '--server', 'dns.example'],
    /^error: --server: "dns.example" must be the IP address of a DNS server/,
  ],
]

for (const [args, message] of refused) {
  test(`postern dns lookup ${args.join(' ').slice(0, 60)} is refused`, async () => {
    const { status, stderr } = await runPostern(['dns', 'lookup', ...args])
    assert.equal(status, 1)
    assert.match(stderr, message)
  })
}
