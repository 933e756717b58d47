import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { webhookSender } from '../../../shared/adapters/net/webhook-sender.ts'
import type { WebhookAnswer } from '../../../shared/webhook/webhook-sender.ts'
import { selfSigned } from './self-signed.ts'

const local = webhookSender({ allowLoopback: true, timeoutMs: 5_000 })

test('posts the headers and the bytes as given, with their length, and reports the answer', async (t) => {
  const seen: { request?: IncomingMessage; body?: string } = {}
  const { port } = await serve(t, async (request, response) => {
    seen.request = request
    seen.body = (await request.toArray()).join('')
    response.writeHead(202).end('thänks')
  })
  const answer = await post(local, `http://127.0.0.1:${port}/hook?a=b`, { 'X-Mox-Webhook-ID': '7' })
  assert.deepEqual(answer, { kind: 'answered', status: 202, response: 'thänks' })
  assert.equal(seen.request?.method, 'POST')
  assert.equal(seen.request?.url, '/hook?a=b')
  assert.equal(seen.request?.headers['x-mox-webhook-id'], '7')
  assert.equal(seen.request?.headers['content-length'], '11')
  assert.equal(seen.body, '{"event":1}')
})

test('a redirect is an answer and is not followed', async (t) => {
  const paths: string[] = []
  const { port } = await serve(t, (request, response) => {
    paths.push(request.url ?? '')
    response.writeHead(307, { location: '/elsewhere' }).end()
  })
  const answer = await post(local, `http://127.0.0.1:${port}/first`)
  assert.deepEqual(answer, { kind: 'answered', status: 307, response: '' })
  assert.deepEqual(paths, ['/first'])
})

test('keeps 512 bytes of the body, cuts no character in two, and reads no further', async (t) => {
  const closed = Promise.withResolvers<void>()
  const { port } = await serve(t, (_request, response) => {
    response.on('close', closed.resolve)
    response.write(`x${'ä'.repeat(300)}`)
  })
  const answer = await post(local, `http://127.0.0.1:${port}/`)
  assert.deepEqual(answer, { kind: 'answered', status: 200, response: `x${'ä'.repeat(255)}` })
  await closed.promise
})

test('a body that breaks off does not take the status back', async (t) => {
  const { port } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('partial', () => response.socket?.destroy())
  })
  const answer = await post(local, `http://127.0.0.1:${port}/`)
  assert.deepEqual(answer, { kind: 'answered', status: 200, response: 'partial' })
})

test('the time limit is for the whole call', async (t) => {
  const { port } = await serve(t, () => {})
  const hasty = webhookSender({ allowLoopback: true, timeoutMs: 200 })
  const answer = await post(hasty, `http://127.0.0.1:${port}/`)
  assert.deepEqual(answer, { kind: 'unreachable', error: 'timed out after 0.2 s' })
})

test('says why no answer came, in words that name no address and no secret', async (t) => {
  const free = await freePort()
  const hangsUp = await listenTcp(t, (socket) => socket.destroy())
  const speaksSmtp = await listenTcp(t, (socket) => socket.end('220 mx.example ESMTP\r\n'))
  const tlsPort = await serveTls(t, selfSigned(['hook.example']))
  const rows: readonly (readonly [string, RegExp])[] = [
    [`http://127.0.0.1:${free}/`, /^connection refused$/],
    [`http://127.0.0.1:${hangsUp}/`, /^connection closed$/],
    [`http://127.0.0.1:${speaksSmtp}/`, /^the answer is not HTTP$/],
    [`https://127.0.0.1:${tlsPort}/`, /^certificate not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/],
    [`https://127.0.0.1:${speaksSmtp}/`, /^TLS handshake failed \(/],
    ['hook.example', /^the URL of the webhook is not valid$/],
    ['ftp://hook.example/', /^the URL of the webhook is not valid$/],
  ]
  for (const [url, expected] of rows) {
    const answer = await post(local, url)
    assert.ok(answer.kind === 'unreachable', url)
    assert.match(answer.error, expected, url)
  }
  const missing = Object.assign(new Error('getaddrinfo ENOTFOUND hook.invalid'), { code: 'ENOTFOUND' })
  const nowhere = webhookSender({ allowLoopback: false, lookup: () => Promise.reject(missing) })
  assert.deepEqual(await post(nowhere, 'http://hook.invalid/'), {
    kind: 'unreachable',
    error: 'the host name does not exist',
  })
  const secret = await post(local, `http://127.0.0.1:${free}/`, { authorization: 'Bearer s3cret\r\nx: y' })
  assert.deepEqual(secret, { kind: 'unreachable', error: 'the headers of the webhook are not valid' })
})

test('a certificate is checked against the host name, wherever the address came from', async (t) => {
  const identity = selfSigned(['hook.example'])
  const port = await serveTls(t, identity)
  const trusted = getCACertificates()
  setDefaultCACertificates([...trusted, identity.cert])
  t.after(() => setDefaultCACertificates(trusted))
  const sender = webhookSender({ allowLoopback: true, lookup: () => Promise.resolve([LOOPBACK]) })
  const right = await post(sender, `https://hook.example:${port}/`)
  assert.deepEqual(right, { kind: 'answered', status: 200, response: 'hook.example' })
  const wrong = await post(sender, `https://other.example:${port}/`)
  assert.deepEqual(wrong, { kind: 'unreachable', error: 'certificate is for another host name' })
})

const LOOPBACK = { address: '127.0.0.1', family: 4 }

function post(
  sender: ReturnType<typeof webhookSender>,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<WebhookAnswer> {
  return sender.post({ url, headers, body: Buffer.from('{"event":1}') })
}

async function serve(t: TestContext, handler: RequestListener): Promise<{ readonly port: number }> {
  return { port: await listen(t, createServer(handler)) }
}

async function serveTls(t: TestContext, identity: ReturnType<typeof selfSigned>): Promise<number> {
  const server = createTlsServer(identity, (request, response) => {
    response.end(request.headers.host?.split(':')[0])
  })
  return await listen(t, server)
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function listenTcp(t: TestContext, handler: (socket: Socket) => void): Promise<number> {
  const server = createTcpServer((socket) => handler(socket.on('error', () => {})))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => void server.close())
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}
