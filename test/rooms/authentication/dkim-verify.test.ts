import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { verifyDkim } from '../../../shared/authentication/dkim-verify.ts'
import { dkimPorts } from '../../support/dkim-ports.ts'
import { keyRecord, signDkim } from '../../support/dkim-signer.ts'
import type { FakeZone } from '../../support/fake-dns.ts'
import { dkimCases } from './dkim-mutations.ts'

for (const { rule, message, zone, result, problem = /^$/ } of dkimCases) {
  test(`DKIM: ${rule}: ${result}`, async () => {
    const [first] = await verifyDkim(dkimPorts(zone), Buffer.from(message, 'latin1'))
    assert.equal(first?.result, result, first?.problem)
    assert.match(first?.problem ?? '', problem)
  })
}

const RSA_1024 =
  'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J1' +
  '6JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIK' +
  'T+l/K4w3QIDAQAB'
const RFC6376_KEY =
  'v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jY' +
  'fcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB'
const ED25519 = 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='

test('the sample of RFC 8463 appendix A verifies, with all facts', async () => {
  const zone: FakeZone = {
    'brisbane._domainkey.football.example.com': { TXT: [ED25519] },
    'test._domainkey.football.example.com': { TXT: [RSA_1024], authentic: false },
  }
  const facts = { domain: 'football.example.com', identity: '@football.example.com', problem: '' }
  assert.deepEqual(await verifyDkim(dkimPorts(zone), fixture('rfc8463')), [
    {
      ...facts,
      result: 'pass',
      algorithm: 'ed25519-sha256',
      selector: 'brisbane',
      signature: '/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
      authentic: true,
    },
    {
      ...facts,
      result: 'pass',
      algorithm: 'rsa-sha256',
      selector: 'test',
      signature:
        'F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsge' +
        'efOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=',
      keyBits: 1024,
      authentic: false,
    },
  ])
})

test('the sample of RFC 6376 appendix A verifies', async () => {
  const zone = { 'brisbane._domainkey.example.com': { TXT: [RFC6376_KEY] } }
  const [result] = await verifyDkim(dkimPorts(zone), fixture('rfc6376'))
  assert.deepEqual(
    [result?.result, result?.domain, result?.identity],
    ['pass', 'example.com', 'joe@football.example.com'],
  )
})

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const ZONE = { 'sel._domainkey.y.example': { TXT: [keyRecord(publicKey)] } }
const HEADER = 'From: ann@y.example\r\nSubject: hello\r\n'

test('a message without signatures has no results', async () => {
  for (const message of ['', HEADER, `${HEADER}\r\nDKIM-Signature: v=1\r\n`]) {
    assert.deepEqual(await verifyDkim(dkimPorts({}), Buffer.from(message)), [])
  }
})

test('a signature that cannot be read has no facts', async () => {
  assert.deepEqual(await verifyDkim(dkimPorts({}), Buffer.from('DKIM-Signature: nonsense\r\n\r\n')), [
    { result: 'permerror', problem: 'malformed tags', authentic: false },
  ])
})

test('the first ten signatures are looked at, each with a question of its own', async () => {
  const signed = signDkim({ header: HEADER, body: 'hello\r\n', privateKey })
  const ports = dkimPorts(ZONE)
  const more = signed.slice(0, signed.indexOf(HEADER))
  const results = await verifyDkim(ports, Buffer.from(more.repeat(50) + signed))
  assert.deepEqual(
    results.map(({ result }) => result),
    new Array(10).fill('pass'),
  )
  assert.equal(ports.resolver.asked.length, 10)
})

test('a signature whose key does not come in time is a temporary error, and the others count', async () => {
  const signed = signDkim({ header: HEADER, body: 'hello\r\n', privateKey })
  const slow = signDkim({ header: HEADER, body: 'hello\r\n', privateKey, selector: 'slow' })
  const ports = dkimPorts(ZONE)
  const waits: number[] = []
  const results = await verifyDkim(
    {
      ...ports,
      resolver: {
        lookUp: (type, name) =>
          name.startsWith('slow') ? new Promise(() => {}) : ports.resolver.lookUp(type, name),
      },
      wait: (milliseconds) => {
        waits.push(milliseconds)
        return new Promise((done) => setTimeout(done, 50))
      },
    },
    Buffer.from(slow.slice(0, slow.indexOf(HEADER)) + signed),
  )
  assert.deepEqual(
    results.map(({ result, problem, domain }) => ({ result, problem, domain })),
    [
      { result: 'temperror', problem: 'took too long', domain: 'y.example' },
      { result: 'pass', problem: '', domain: 'y.example' },
    ],
  )
  assert.deepEqual(waits, [20_000, 20_000])
})

test('what throws is a temporary error and a log line', async () => {
  const logged: unknown[] = []
  const signed = signDkim({ header: HEADER, body: 'hello\r\n', privateKey })
  const results = await verifyDkim(
    {
      ...dkimPorts(ZONE),
      resolver: { lookUp: () => Promise.reject(new Error('a bug')) },
      log: { info: () => {}, warn: () => {}, error: (...line) => void logged.push(line) },
    },
    Buffer.from(signed),
  )
  assert.deepEqual([results[0]?.result, results[0]?.problem], ['temperror', 'internal error'])
  assert.deepEqual(logged, [['authentication of a message failed', new Error('a bug'), { check: 'dkim' }]])
})

for (const canonicalization of ['simple/simple', 'relaxed/relaxed'] as const) {
  test(`a body of several pieces verifies (${canonicalization})`, async () => {
    const line = `${'x y\t'.repeat(20)}\r\n`
    // The piece ends within a line, within a run of empty lines, and behind the last line.
    for (const body of [line.repeat(40_000), '\r\n'.repeat(1_500_000) + line, `${'x'.repeat(1 << 20)}\r\n`]) {
      const signed = signDkim({ header: HEADER, body, privateKey, canonicalization })
      const [result] = await verifyDkim(dkimPorts(ZONE), Buffer.from(signed))
      assert.equal(result?.result, 'pass', result?.problem)
    }
  })
}

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../fixtures/dkim/${name}.eml`, import.meta.url))
}

const services: readonly (readonly [s: string, result: string, services: readonly string[] | undefined])[] = [
  ['', 'pass', undefined],
  ['s=*; ', 'pass', ['*']],
  ['s=email:tlsrpt; ', 'pass', ['email', 'tlsrpt']],
  ['s=tlsrpt; ', 'permerror', ['tlsrpt']],
]

for (const [s, result, expected] of services) {
  test(`a key record with "${s}" is of a signature that is right: ${result} (RFC 6376 §3.6.1)`, async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const zone = { 'sel._domainkey.y.example': { TXT: [keyRecord(publicKey, `v=DKIM1; ${s}n=`)] } }
    const message = signDkim({ header: 'From: a@y.example\r\nSubject: x\r\n', body: 'x\r\n', privateKey })
    const [right] = await verifyDkim(dkimPorts(zone), Buffer.from(message))
    assert.deepEqual([right?.result, right?.services], [result, expected])
    const [wrong] = await verifyDkim(
      dkimPorts(zone),
      Buffer.from(message.replace('Subject: x', 'Subject: y')),
    )
    assert.deepEqual([wrong?.result, wrong?.services], ['fail', undefined])
  })
}
