import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect, type SecureVersion, TLSSocket } from 'node:tls'
import { channelBindings } from '../../../shared/adapters/net/channel-bindings.ts'
import { type ListenersTls, listenersTls } from '../../../shared/adapters/net/listener-tls.ts'
import type { Log } from '../../../shared/base/log.ts'
import type { KeyedCertificate } from '../../../shared/certificate/keyed-certificate.ts'
import { selfSigned } from './self-signed.ts'

const one = keyed()
const other = keyed()
const silent: Log = { info() {}, warn() {}, error() {} }

function keyed(): KeyedCertificate {
  const { cert, key } = selfSigned(['localhost'])
  return { certificate: cert, privateKey: key }
}

/** Connects to a server that has such TLS; both ends. */
async function meet(
  t: TestContext,
  { tls, kind = 'submissions' }: { readonly tls: ListenersTls; readonly kind?: 'smtp' | 'submissions' },
  options: ConnectionOptions = {},
) {
  const accepted = Promise.withResolvers<TLSSocket>()
  const server = createServer((socket) => {
    const { secureContext } = tls.forService(kind)
    const secured = new TLSSocket(socket, { isServer: true, secureContext: secureContext() })
    secured.on('error', (error) => accepted.reject(error))
    secured.once('secure', () => accepted.resolve(secured))
    t.after(() => void secured.destroy())
  }).listen(0, '127.0.0.1')
  t.after(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  t.after(() => void client.destroy())
  const sessions: Buffer[] = []
  client.on('session', (session) => sessions.push(session))
  client.on('error', () => {})
  const served = await accepted.promise
  return { client, served, sessions }
}

function shown(client: TLSSocket): Buffer | undefined {
  return client.getPeerX509Certificate()?.raw
}

test('RFC 8996: TLS 1.2 and 1.3 are spoken, and nothing older', async (t) => {
  const tls = await listenersTls(async () => one, silent)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { served } = await meet(t, { tls }, { minVersion: version, maxVersion: version })
    assert.equal(served.getProtocol(), version)
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await assert.rejects(meet(t, { tls }, old), /unsupported protocol|version/i)
})

test('a new certificate is shown without a restart', async (t) => {
  let current = one
  const tls = await listenersTls(async () => current, silent)
  current = other
  await tls.reload()
  const { client } = await meet(t, { tls })
  assert.deepEqual(shown(client), new X509Certificate(other.certificate).raw)
})

test('a new certificate that cannot be used leaves the old one in place, and the log says so', async (t) => {
  const answers = [one, { ...other, privateKey: one.privateKey }]
  const errors: string[] = []
  const log = { ...silent, error: (event: string) => void errors.push(event) }
  const tls = await listenersTls(async () => answers.shift() ?? assert.fail('asked too often'), log)
  await tls.reload()
  const { client } = await meet(t, { tls })
  assert.deepEqual(shown(client), new X509Certificate(one.certificate).raw)
  assert.deepEqual(errors, ['the new certificate cannot be used, the old one stays'])
})

test('a first certificate that cannot be used ends the start', async () => {
  await assert.rejects(
    listenersTls(async () => ({ ...other, privateKey: one.privateKey }), silent),
    /key/,
  )
})

test('port 25 resumes no sessions, the ports of mail programs do', async (t) => {
  const tls = await listenersTls(async () => one, silent)
  const resumes = async (kind: 'smtp' | 'submissions', maxVersion: SecureVersion) => {
    const options = { maxVersion }
    const { sessions } = await meet(t, { tls, kind }, options)
    await sleep(100)
    const [session] = sessions
    return session && (await meet(t, { tls, kind }, { ...options, session })).client.isSessionReused()
  }
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    assert.equal(await resumes('submissions', version), true)
    assert.ok(!(await resumes('smtp', version)))
  }
})

test('RFC 9266, RFC 5929 §4: both ends of a connection find the same channel bindings', async (t) => {
  const tls = await listenersTls(async () => one, silent)
  const { client, served } = await meet(t, { tls })
  const found = channelBindings(served, served.getX509Certificate())
  const exported = client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
  const hash = createHash('sha256')
    .update(shown(client) ?? '')
    .digest()
  assert.deepEqual(found, { 'tls-exporter': exported, 'tls-server-end-point': hash })
})

test('RFC 9266 §4.2: with TLS 1.2 the certificate is all there is to bind to', async (t) => {
  const tls = await listenersTls(async () => one, silent)
  const { served } = await meet(t, { tls }, { maxVersion: 'TLSv1.2' })
  assert.deepEqual(Object.keys(channelBindings(served, served.getX509Certificate())), [
    'tls-server-end-point',
  ])
})
