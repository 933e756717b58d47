import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { authenticate } from '../../../shared/authentication/authenticate.ts'
import type { Resolver } from '../../../shared/dns/resolver.ts'
import { keyRecord, signDkim } from '../../support/dkim-signer.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const HEADER = 'From: ann@y.example\r\nSubject: hello\r\n'
const content = Buffer.from(signDkim({ header: HEADER, body: 'hello\r\n', privateKey }))
const client = {
  ipAddress: '192.0.2.1',
  hello: 'out.y.example',
  protocol: 'ESMTP',
  sessionId: 'session',
} as const
const message = { client, mailFrom: parseAddress('ann@y.example'), content }

const ZONE: FakeZone = {
  '1.2.0.192.in-addr.arpa': { PTR: ['out.y.example'], authentic: false },
  'out.y.example': { A: ['192.0.2.1'], TXT: ['v=spf1 a -all'] },
  'y.example': { TXT: ['v=spf1 ip4:192.0.2.0/24 -all'] },
  'sel._domainkey.y.example': { TXT: [keyRecord(publicKey)] },
  '_dmarc.y.example': { TXT: ['v=DMARC1; p=reject'] },
}

test('all four results, each with what DNSSEC vouches for', async () => {
  const { iprev, spf, dkim, dmarc } = await authenticate(
    portsOf(fakeDns(ZONE)),
    'mx.postern.example',
    message,
  )
  assert.deepEqual(iprev, { result: 'pass', name: 'out.y.example', authentic: false })
  assert.deepEqual(
    [spf.result, spf.identity, spf.domain, spf.authentic],
    ['pass', 'mailfrom', 'y.example', true],
  )
  assert.deepEqual(
    dkim.map((each) => [each.result, each.domain]),
    [['pass', 'y.example']],
  )
  assert.deepEqual([dmarc.result, dmarc.fromDomain, dmarc.policy], ['pass', 'y.example', 'reject'])
})

test('the null reverse-path is judged by the EHLO name (RFC 7208 §2.4)', async () => {
  const bounce = { client, content }
  const { spf } = await authenticate(portsOf(fakeDns(ZONE)), 'mx.postern.example', bounce)
  assert.deepEqual([spf.result, spf.identity, spf.domain], ['pass', 'helo', 'out.y.example'])
})

test('what throws becomes a temporary error and a log line, and the rest counts', async () => {
  const bug = new Error('a bug')
  const dns = fakeDns(ZONE)
  const resolver: Resolver = {
    lookUp: (type, name) => (name === 'y.example' ? Promise.reject(bug) : dns.lookUp(type, name)),
  }
  const ports = portsOf(resolver)
  const { iprev, spf, dmarc } = await authenticate(ports, 'mx.postern.example', message)
  assert.deepEqual(
    [iprev.result, spf.result, spf.problem, spf.domain, dmarc.result],
    ['pass', 'temperror', 'internal error', 'y.example', 'pass'],
  )
  assert.deepEqual(ports.logged, [['authentication of a message failed', bug, { check: 'spf' }]])
})

test('what takes too long becomes a temporary error', async () => {
  const dead: Resolver = { lookUp: () => new Promise(() => {}) }
  const ports = { ...portsOf(dead), wait: (milliseconds: number) => soon(milliseconds / 1000) }
  const { iprev, spf, dkim, dmarc } = await authenticate(ports, 'mx.postern.example', message)
  assert.deepEqual(
    [iprev.result, spf.result, dkim[0]?.result, dkim[0]?.domain, dmarc.result],
    ['temperror', 'temperror', 'temperror', 'y.example', 'temperror'],
  )
})

test('timers end with what they bound', async () => {
  const ports = portsOf(fakeDns(ZONE))
  await authenticate(ports, 'mx.postern.example', message)
  const long = ports.waits.filter(({ milliseconds }) => milliseconds > 0)
  assert.deepEqual(
    long.map(({ milliseconds }) => milliseconds).sort(),
    [20_000, 20_000, 20_000, 20_000, 40_000],
  )
  assert.ok(long.every(({ signal }) => signal.aborted))
})

test('a message that cannot be parsed has results all the same', async () => {
  for (const text of ['', '\u0000\r\n', 'From: <<<\r\nDKIM-Signature: =;;=\r\n\r\n', ':\r\n:\r\n']) {
    const broken = { ...message, content: Buffer.from(text) }
    const ports = portsOf(fakeDns(ZONE))
    const { spf, dmarc } = await authenticate(ports, 'mx.postern.example', broken)
    assert.deepEqual([spf.result, dmarc.result, ports.logged], ['pass', 'none', []])
  }
})

function soon(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds))
}

function portsOf(resolver: Resolver) {
  const logged: unknown[] = []
  const waits: { readonly milliseconds: number; readonly signal: AbortSignal }[] = []
  return {
    resolver,
    logged,
    waits,
    clock: fakeClock(),
    random: { fraction: () => 0 },
    log: { info: () => {}, warn: () => {}, error: (...line: unknown[]) => void logged.push(line) },
    wait: (milliseconds: number, signal: AbortSignal) => {
      waits.push({ milliseconds, signal })
      return milliseconds === 0 ? Promise.resolve() : new Promise<void>(() => {})
    },
  }
}
