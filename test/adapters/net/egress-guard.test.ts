import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { type AddressInfo, createServer, isIP } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { specialPurposeBlocks } from '../../../shared/adapters/net/special-purpose-addresses.ts'
import { webhookSender } from '../../../shared/adapters/net/webhook-sender.ts'
import type { WebhookAnswer, WebhookSender } from '../../../shared/webhook/webhook-sender.ts'
import { type AddressBlock, formatAddress, parseBlock, valueIn } from './address-block.ts'
import { ipv4Carried, ipv4Host, ipv6Text } from './address-spelling.ts'
import { connectionAttempts } from './connection-attempts.ts'

// Where webhooks may go: whatever is in the URL or comes from DNS, no connection begins to what is not public.

const blocks = specialPurposeBlocks
  .filter(({ ipv4Prefix }) => !ipv4Prefix)
  .map(({ block }) => parseBlock(block))

/** Public, but its family is wrong, so that the socket fails and no packet leaves the machine. */
const PUBLIC: LookupAddress = { address: '192.0.1.1', family: 6 }
const PUBLIC_FAILED: WebhookAnswer = { kind: 'unreachable', error: 'the request failed (EINVAL)' }
const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 }
const LOOPBACK_REFUSED = refused('127.0.0.1', '127.0.0.0/8, Loopback (RFC 1122)')

for (const block of blocks) {
  test(`nothing connects to an address of ${block.text}, however the URL spells it`, async (t) => {
    const attempts = connectionAttempts(t)
    const lookup = t.mock.fn(() => Promise.resolve([PUBLIC]))
    const sender = webhookSender({ allowLoopback: false, lookup })
    await fc.assert(isRefused(sender, block, 80), { numRuns: 25 })
    assert.deepEqual([attempts, lookup.mock.callCount()], [[], 0])
  })
}

test('nothing connects to a name that has an address of a block', async (t) => {
  const attempts = connectionAttempts(t)
  const addresses = fc.constantFrom(...blocks).chain((block) =>
    valueIn(block).map((value) => ({
      address: formatAddress(block.width, value),
      family: block.width === 32 ? 4 : 6,
    })),
  )
  const property = fc.asyncProperty(addresses, fc.boolean(), async (bad, isFirst) => {
    const answer = isFirst ? [bad, PUBLIC] : [PUBLIC, bad]
    const sender = webhookSender({ allowLoopback: false, lookup: () => Promise.resolve(answer) })
    assertRefused(await post(sender, 'https://hook.example/'), bad.address)
  })
  await fc.assert(property, { numRuns: 200 })
  assert.deepEqual(attempts, [])
})

test('a server at 127.0.0.1 is reached by no spelling of its address', async (t) => {
  const block = parseBlock('127.0.0.1/32')
  const server = await serve(t)
  const guarded = webhookSender({ allowLoopback: false, timeoutMs: 2_000 })
  await fc.assert(isRefused(guarded, block, server.port), { numRuns: 200 })
  for (const name of ['localhost', 'LOCALHOST']) {
    const answer = await post(guarded, `http://${name}:${server.port}/`)
    const error = answer.kind === 'unreachable' ? answer.error : 'answered'
    assert.match(error, /^the address (127\.0\.0\.1|::1) of the webhook is not public/)
  }
  assert.equal(server.connections(), 0)
  // The rule can fail: with the hole that local mode needs, it does.
  const local = webhookSender({ allowLoopback: true, timeoutMs: 2_000 })
  assert.ok((await fc.check(isRefused(local, block, server.port))).failed)
  const reached = server.connections()
  assert.ok(reached > 0)
  assert.equal((await post(local, `http://localhost:${server.port}/`)).kind, 'answered')
  assert.equal(server.connections(), reached + 1)
})

test('a name that is public at first and loopback later never reaches a loopback server', async (t) => {
  const server = await serve(t)
  const attempts = connectionAttempts(t)
  for (const scheme of ['http', 'https']) {
    const answers = [[PUBLIC], [LOOPBACK], [PUBLIC]]
    const lookup = t.mock.fn(() => Promise.resolve(answers.shift() ?? [LOOPBACK]))
    const sender = webhookSender({ allowLoopback: false, lookup })
    const url = `${scheme}://hook.example:${server.port}/`
    // Each call asks once and connects to what it was told, so that there is no second answer to fall for.
    for (const expected of [PUBLIC_FAILED, LOOPBACK_REFUSED, PUBLIC_FAILED, LOOPBACK_REFUSED]) {
      const asked = lookup.mock.callCount()
      assert.deepEqual(await post(sender, url), expected)
      assert.equal(lookup.mock.callCount(), asked + 1)
    }
  }
  assert.deepEqual(attempts, new Array(4).fill(PUBLIC.address))
  assert.equal(server.connections(), 0)
})

test('the connection goes to the address that was vetted, whatever the name is to others', async (t) => {
  const server = await serve(t)
  const attempts = connectionAttempts(t)
  const sender = webhookSender({ allowLoopback: true, lookup: () => Promise.resolve([LOOPBACK]) })
  const answer = await post(sender, `http://hook.example:${server.port}/`)
  assert.deepEqual(answer, { kind: 'answered', status: 204, response: '' })
  assert.deepEqual([attempts, server.connections()], [['127.0.0.1'], 1])
})

test('one address that is not public spoils the name, and a name without addresses is told', async () => {
  const rows: readonly (readonly [readonly LookupAddress[], WebhookAnswer])[] = [
    [[PUBLIC, LOOPBACK], LOOPBACK_REFUSED],
    [[LOOPBACK, PUBLIC], LOOPBACK_REFUSED],
    [
      [PUBLIC, { address: 'fd00:ec2::254', family: 6 }],
      refused('fd00:ec2::254', 'fc00::/7, Unique-Local (RFC 4193)'),
    ],
    [[], { kind: 'unreachable', error: 'the host name has no address' }],
  ]
  for (const [addresses, expected] of rows) {
    const sender = webhookSender({ allowLoopback: false, lookup: () => Promise.resolve(addresses) })
    assert.deepEqual(await post(sender, 'http://hook.example/'), expected)
  }
})

test('loopback is allowed for itself only: mapped forms, 0.0.0.0 and names with another private address are not', async (t) => {
  const attempts = connectionAttempts(t)
  const lookup = () => Promise.resolve([LOOPBACK, { address: '10.0.0.1', family: 4 }])
  const sender = webhookSender({ allowLoopback: true, lookup })
  const rows: readonly (readonly [host: string, ipAddress: string])[] = [
    ['hook.example', '10.0.0.1'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
    ['0.0.0.0', '0.0.0.0'],
    ['[::]', '::'],
    ['169.254.169.254', '169.254.169.254'],
  ]
  for (const [host, ipAddress] of rows) assertRefused(await post(sender, `http://${host}/`), ipAddress)
  assert.deepEqual(attempts, [])
})

test('ports are 80, 443 and those from 1024', async (t) => {
  const attempts = connectionAttempts(t)
  const sender = webhookSender({ allowLoopback: true, lookup: () => Promise.resolve([PUBLIC]) })
  const error = 'the port of the webhook must be 80, 443 or at least 1024'
  for (const port of [0, 1, 22, 25, 79, 81, 442, 444, 465, 587, 1023]) {
    for (const host of ['hook.example', '127.0.0.1']) {
      assert.deepEqual(await post(sender, `http://${host}:${port}/`), { kind: 'unreachable', error })
    }
  }
  assert.deepEqual(attempts, [])
  const allowed = ['http://h.example', 'https://h.example', 'http://h.example:443', 'https://h.example:80']
  for (const url of [...allowed, 'https://h.example:1024', 'http://h.example:65535']) {
    assert.deepEqual(await post(sender, url), PUBLIC_FAILED, url)
  }
})

test('a zone, an address that is none and a scheme that is not of the web are no URLs of webhooks', async (t) => {
  const attempts = connectionAttempts(t)
  const sender = webhookSender({ allowLoopback: true })
  const hosts = ['[fe80::1%25eth0]', '[fe80::1%eth0]', '1.2.3.4.5', '256.0.0.1', '0x100000000', '[::1', '']
  for (const url of [
    ...hosts.map((host) => `http://${host}/`),
    'ftp://hook.example/',
    'file:///etc/passwd',
  ]) {
    const answer = await post(sender, url)
    assert.deepEqual(answer, { kind: 'unreachable', error: 'the URL of the webhook is not valid' }, url)
  }
  assert.deepEqual(attempts, [])
})

/** That a sender answers each URL to an address of a block by naming the address, and says that it is not public. */
function isRefused(sender: WebhookSender, block: AddressBlock, port: number): fc.IAsyncProperty<[string]> {
  const hosts = valueIn(block).chain((value) =>
    block.width === 32
      ? fc.oneof(ipv4Host(value), ipv4Carried(value).map(bracketed))
      : ipv6Text(value).map(bracketed),
  )
  return fc.asyncProperty(hosts, async (host) => {
    const url = `http://${host}:${port}/`
    // The parser's own spelling; that it is the address meant is the rule of another standard.
    const ipAddress = new URL(url).hostname.replace(/^\[|\]$/g, '')
    assert.notEqual(isIP(ipAddress), 0, host)
    assertRefused(await post(sender, url), ipAddress)
  })
}

function bracketed(text: string): string {
  return `[${text}]`
}

function refused(ipAddress: string, block: string): WebhookAnswer {
  return { kind: 'unreachable', error: `the address ${ipAddress} of the webhook is not public: ${block}` }
}

function assertRefused(answer: WebhookAnswer, ipAddress: string): void {
  const error = answer.kind === 'unreachable' ? answer.error : 'answered'
  const expected = `the address ${ipAddress} of the webhook is not public: `
  assert.equal(error.slice(0, expected.length), expected)
}

function post(sender: WebhookSender, url: string): Promise<WebhookAnswer> {
  return sender.post({ url, headers: {}, body: Buffer.from('{"event":1}') })
}

/** Counts connections, not requests: a guard that lets one begin has failed. */
async function serve(t: TestContext) {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {}).end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => void server.close())
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}
