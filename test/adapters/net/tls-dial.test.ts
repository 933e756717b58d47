import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { readPeerChain } from '../../../shared/adapters/net/peer-chain.ts'
import { dialStartTls, dialTls, type TlsTarget, trustedRoots } from '../../../shared/adapters/net/tls-dial.ts'
import { makeAuthority, makeCertificate, type TestCertificate } from '../../support/certificates.ts'
import { identityOf, tlsServer } from '../../support/tls-server.ts'
import { scriptedServer } from './scripted-server.ts'
import { trustCertificate } from './trust-certificate.ts'

const root = await makeAuthority({ subject: 'root' })
const middle = await makeAuthority({ subject: 'middle', issuer: root })
const leaf = await makeCertificate({ issuer: middle, names: ['mx.example'] })
const foreign = await makeCertificate({ issuer: await makeAuthority(), names: ['foreign.example'] })
const shuffled = [leaf, root, foreign, middle]

const target = (port: number): TlsTarget => ({
  addresses: ['127.0.0.1'],
  port,
  serverName: 'mx.example',
  timeoutMs: 5000,
})
const derOf = (chain: readonly TestCertificate[]) => chain.map(({ der }) => der)

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** A server that takes connections and says nothing, or what it is told. */
async function plainServer(t: TestContext, greeting = ''): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.write(greeting)
    t.after(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const isTrusted of [false, true]) {
    const who = isTrusted ? 'a trusted' : 'an unknown'
    test(`the chain of ${who} authority is as it was sent, over ${maxVersion}`, async (t) => {
      if (isTrusted) trustCertificate(t, root.pem)
      const { port, serverNames } = await tlsServer(t, shuffled, { maxVersion })
      assert.deepEqual(await dialTls(target(port)), {
        kind: 'secured',
        address: '127.0.0.1',
        protocol: maxVersion,
        chain: derOf(shuffled),
      })
      assert.deepEqual(serverNames, ['mx.example'])
    })
  }
}

test('Node gives the chain of a connection once (nodejs/node#65579)', async (t) => {
  const { port } = await tlsServer(t, shuffled)
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  assert.equal(readPeerChain(socket).length, 4)
  // When this fails, Node was mended, and the warning can go.
  assert.deepEqual([readPeerChain(socket), socket.getPeerCertificate(true)], [[], {}])
})

test('of several addresses the first that answers is called', async (t) => {
  const { port } = await tlsServer(t, [leaf])
  const peer = await dialTls({ ...target(port), addresses: ['127.0.0.2', '127.0.0.1'] })
  assert.ok(peer.kind === 'secured')
  assert.equal(peer.address, '127.0.0.1')
})

const unreachable: readonly (readonly [
  what: string,
  open: (t: TestContext) => Promise<number>,
  error: string,
])[] = [
  ['where nobody listens', closedPort, '127.0.0.1: connection refused'],
  ['of a server that says nothing', plainServer, '127.0.0.1: timed out'],
  [
    'of a server that speaks something else',
    (t) => plainServer(t, '220 mx.example ESMTP\r\n'),
    '127.0.0.1: TLS handshake failed (ERR_SSL_WRONG_VERSION_NUMBER)',
  ],
  [
    'of a server with old TLS only',
    async (t) =>
      (await tlsServer(t, [leaf], { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }))
        .port,
    '127.0.0.1: TLS handshake failed (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)',
  ],
]

for (const [what, open, error] of unreachable) {
  test(`a call ${what} fails: ${error}`, async (t) => {
    const port = await open(t)
    assert.deepEqual(await dialTls({ ...target(port), timeoutMs: 1000 }), { kind: 'failed', error })
  })
}

test('RFC 3207: STARTTLS gives the chain as it was sent, and takes leave', async (t) => {
  const server = await scriptedServer(t, { identity: identityOf(shuffled) })
  assert.deepEqual(await dialStartTls(target(server.port), 'here.example'), {
    kind: 'secured',
    address: '127.0.0.1',
    protocol: 'TLSv1.3',
    chain: derOf(shuffled),
  })
  assert.deepEqual(server.commands, ['EHLO here.example', 'STARTTLS', 'EHLO here.example', 'QUIT'])
})

test('RFC 7672 §2.2: STARTTLS is demanded of a server that does not offer it', async (t) => {
  const server = await scriptedServer(t, {
    reply: (command) => (command === 'STARTTLS' ? '502 no' : undefined),
  })
  assert.deepEqual(await dialStartTls(target(server.port), 'here.example'), {
    kind: 'failed',
    error: '127.0.0.1: the server answered 502 no',
  })
  assert.deepEqual(server.commands.slice(0, 2), ['EHLO here.example', 'STARTTLS'])
})

test('a server that refuses to talk is quoted', async (t) => {
  const server = await scriptedServer(t, { greeting: '554 go\x1baway' })
  assert.deepEqual(await dialStartTls(target(server.port), 'here.example'), {
    kind: 'failed',
    error: '127.0.0.1: the server answered 554 go away',
  })
})

test('a server that falls silent is given up in time', async (t) => {
  const server = await scriptedServer(t, { greeting: null })
  const peer = await dialStartTls({ ...target(server.port), timeoutMs: 500 }, 'here.example')
  assert.deepEqual(peer, { kind: 'failed', error: '127.0.0.1: timed out' })
})

test('trusted roots are those of this Node', (t) => {
  trustCertificate(t, root.pem)
  assert.ok(trustedRoots().some((der) => Buffer.from(der).equals(root.der)))
})
