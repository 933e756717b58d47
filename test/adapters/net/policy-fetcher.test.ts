import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { policyFetcher } from '../../../shared/adapters/net/policy-fetcher.ts'
import { DAY } from '../../../shared/base/clock.ts'
import type { FetchedPolicy } from '../../../shared/mta-sts/policy-fetcher.ts'
import { makeAuthority, makeCertificate, type TestCertificate } from '../../support/certificates.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { connectionAttempts } from './connection-attempts.ts'
import { trustCertificate } from './trust-certificate.ts'

const NAMES = ['mta-sts.x.example']
const authority = await makeAuthority()
const certificate = await makeCertificate({ issuer: authority, names: NAMES })

test('RFC 8461 §3.3: fetches the policy of a domain from its policy host', async (t) => {
  trustCertificate(t, authority.pem)
  const seen: (string | undefined)[] = []
  const port = await serve(t, (request, response) => {
    seen.push(request.method, request.url, request.headers.host?.split(':')[0])
    response.end('version: STSv1\n# ä')
  })
  assert.deepEqual(await fetchFrom(port), { kind: 'fetched', text: 'version: STSv1\n# ä' })
  assert.deepEqual(seen, ['GET', '/.well-known/mta-sts.txt', 'mta-sts.x.example'])
})

const certificates: readonly (readonly [what: string, TestCertificate, fault: string, problem: RegExp])[] = [
  [
    'for another name',
    await makeCertificate({ issuer: authority, names: ['x.example', 'a.mta-sts.x.example'] }),
    'certificate-host-mismatch',
    /: certificate is for another host name$/,
  ],
  [
    'for a wildcard of two labels',
    await makeCertificate({ issuer: authority, names: ['*.example'] }),
    'certificate-host-mismatch',
    /: certificate is for another host name$/,
  ],
  [
    'that has the name as common name only',
    await makeCertificate({ issuer: authority, subject: 'mta-sts.x.example' }),
    'certificate-host-mismatch',
    /: certificate is for another host name$/,
  ],
  [
    'that has expired',
    await makeCertificate({ issuer: authority, names: NAMES, validTo: new Date(Date.now() - DAY / 2) }),
    'certificate-expired',
    /: certificate not accepted \(CERT_HAS_EXPIRED\)$/,
  ],
  [
    'of an authority that nobody trusts',
    await makeCertificate({ issuer: await makeAuthority(), names: NAMES }),
    'certificate-not-trusted',
    /: certificate not accepted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)$/,
  ],
  [
    'signed by itself',
    await makeCertificate({ names: NAMES }),
    'certificate-not-trusted',
    /: certificate not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/,
  ],
]
for (const [what, presented, fault, problem] of certificates) {
  test(`RFC 8461 §3.3: a certificate ${what} is not accepted, and nothing is asked`, async (t) => {
    trustCertificate(t, authority.pem)
    const port = await serve(t, () => assert.fail('asked'), presented)
    const fetched = await fetchFrom(port)
    assert.ok(fetched.kind === 'failed')
    assert.equal(fetched.certificate, fault)
    assert.match(fetched.problem, problem)
  })
}

test('RFC 8461 §3.3: a certificate for *.x.example is accepted', async (t) => {
  trustCertificate(t, authority.pem)
  const wildcard = await makeCertificate({ issuer: authority, names: ['*.x.example'] })
  const port = await serve(t, (_, response) => response.end('x'), wildcard)
  assert.deepEqual(await fetchFrom(port), { kind: 'fetched', text: 'x' })
})

const answers: readonly (readonly [what: string, answer: RequestListener, expected: FetchedPolicy])[] = [
  [
    '404 is no policy',
    (_, response) => response.writeHead(404).end('x'),
    { kind: 'none', problem: 'the policy host has no policy (404)' },
  ],
  [
    'a redirect is not followed',
    ({ url = '' }, response) => response.writeHead(301, { location: `${url}?again` }).end('x'),
    { kind: 'failed', problem: 'the policy host answers 301 instead of 200' },
  ],
  [
    'a cached answer that was not asked for is none',
    (_, response) => response.writeHead(304).end(),
    { kind: 'failed', problem: 'the policy host answers 304 instead of 200' },
  ],
  [
    'only 200 counts',
    (_, response) => response.writeHead(203).end('x'),
    { kind: 'failed', problem: 'the policy host answers 203 instead of 200' },
  ],
  [
    'an error of the server',
    (_, response) => response.writeHead(500).end('x'),
    { kind: 'failed', problem: 'the policy host answers 500 instead of 200' },
  ],
  [
    '65536 octets are a policy',
    (_, response) => response.end('x'.repeat(65_536)),
    { kind: 'fetched', text: 'x'.repeat(65_536) },
  ],
  [
    'more octets are none',
    (_, response) => response.end('x'.repeat(65_537)),
    { kind: 'failed', problem: 'the policy has more than 65536 octets' },
  ],
  [
    'more octets in chunks without an end are none',
    (_, response) => {
      const more = () => response.write('x'.repeat(10_000), () => setImmediate(more))
      more()
      response.on('error', () => {})
    },
    { kind: 'failed', problem: 'the policy has more than 65536 octets' },
  ],
]
for (const [what, answer, expected] of answers) {
  test(`RFC 8461 §3.3: ${what}`, async (t) => {
    trustCertificate(t, authority.pem)
    assert.deepEqual(await fetchFrom(await serve(t, answer)), expected)
  })
}

test('a body that breaks off is no policy', async (t) => {
  trustCertificate(t, authority.pem)
  const port = await serve(t, (_, response) => response.write('x', () => response.socket?.destroy()))
  assert.equal((await fetchFrom(port)).kind, 'failed')
})

test('the time limit is for headers and body together', async (t) => {
  trustCertificate(t, authority.pem)
  const port = await serve(t, (_, response) => response.writeHead(200).write('x'))
  assert.deepEqual(await fetchFrom(port, 500), {
    kind: 'failed',
    problem: 'the policy host: timed out after 0.5 s',
  })
})

test('a server that does not speak TLS is a failure, as is none', async (t) => {
  const server = createTcpServer((socket) => socket.end('220 mx.x.example\r\n'))
  const port = await listen(t, server)
  const spoken = await fetchFrom(port)
  assert.match(spoken.kind === 'failed' ? spoken.problem : '', /^the policy host: TLS handshake failed \(/)
  server.close()
  const refused = await fetchFrom(port)
  assert.deepEqual(refused, { kind: 'failed', problem: 'the policy host: connection refused' })
})

const zones: readonly (readonly [what: string, zone: FakeZone, expected: FetchedPolicy])[] = [
  ['that does not exist', {}, { kind: 'none', problem: 'mta-sts.x.example has no address' }],
  [
    'without addresses',
    { 'mta-sts.x.example': { TXT: ['x'] } },
    { kind: 'none', problem: 'mta-sts.x.example has no address' },
  ],
  [
    'that cannot be looked up',
    { 'mta-sts.x.example': { fails: true, extended: { code: 6, name: 'dnssec bogus', text: '' } } },
    {
      kind: 'failed',
      problem: 'A mta-sts.x.example: SERVFAIL',
      extended: { code: 6, name: 'dnssec bogus', text: '' },
    },
  ],
]
for (const [what, zone, expected] of zones) {
  test(`nothing connects to a policy host ${what}`, async (t) => {
    const attempts = connectionAttempts(t)
    assert.deepEqual(await policyFetcher({ resolver: fakeDns(zone) }).fetch('x.example', 5_000), expected)
    assert.deepEqual(attempts, [])
  })
}

for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', 'fd00::1']) {
  test(`nothing connects to a policy host that has the address ${address}, even beside a public one`, async (t) => {
    const attempts = connectionAttempts(t)
    const records = address.includes(':')
      ? { A: ['192.0.1.1'], AAAA: [address] }
      : { A: ['192.0.1.1', address] }
    const resolver = fakeDns({ 'mta-sts.x.example': records })
    const fetched = await policyFetcher({ resolver }).fetch('x.example', 5_000)
    assert.ok(fetched.kind === 'failed')
    assert.ok(fetched.problem.startsWith(`the address ${address} of mta-sts.x.example is not public: `))
    assert.deepEqual(attempts, [])
  })
}

/** The policy of x.example, from a server on loopback. */
async function fetchFrom(port: number, longestMs = 5_000): Promise<FetchedPolicy> {
  const fetcher = policyFetcher({ resolver: fakeDns({}), server: { ipAddress: '127.0.0.1', port } })
  return await fetcher.fetch('x.example', longestMs)
}

async function serve(t: TestContext, answer: RequestListener, presented = certificate): Promise<number> {
  const server = createServer({ cert: presented.pem, key: presented.privateKey }, answer)
  server.on('tlsClientError', () => {})
  t.after(() => server.closeAllConnections())
  return await listen(t, server)
}

async function listen(t: TestContext, server: ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}
