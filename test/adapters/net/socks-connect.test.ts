import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SocksDelivery } from '../../../shared/account/options.ts'
import { smtpDialer } from '../../../shared/adapters/net/smtp-dialer.ts'
import { socksServer } from '../../support/socks-server.ts'
import { scriptedServer } from './scripted-server.ts'
import { selfSigned } from './self-signed.ts'
import { assertFailed, assertOpen, directRequest, sessionRequest } from './session-request.ts'

const dialer = smtpDialer({ connectMs: 300, quitMs: 200 })
const through = (port: number): SocksDelivery => ({
  kind: 'socks',
  host: 'localhost',
  port,
  hostname: 'proxy.example',
  ipAddresses: ['192.0.2.1'],
})

for (const isLate of [false, true]) {
  const how = isLate ? ', also where its greeting comes with the proxy’s reply' : ''
  test(`a server is spoken with through a proxy, by its address${how} (RFC 1928 §4)`, async (t) => {
    const server = await scriptedServer(t, { identity: selfSigned(['mx.example']) })
    const proxy = await socksServer(t, { isLate })
    const session = await dialer.open(sessionRequest(server.port, { proxy: through(proxy.port) }))
    assertOpen(session)
    assert.deepEqual([session.remote.host, session.remote.ipAddress], ['mx.example', '127.0.0.1'])
    assert.equal(session.proof?.chain.length, 1)
    const [outcome] = await session.send(directRequest(['a@x.example']))
    assert.equal(outcome?.kind, 'accepted')
    await session.end()
    assert.deepEqual(proxy.requests, [`1 127.0.0.1:${server.port}`])
  })
}

test('the proxy is asked for IPv6 addresses too, one address after the other', async (t) => {
  const server = await scriptedServer(t, {})
  const proxy = await socksServer(t)
  const ipAddresses = ['2001:db8::1', '127.0.0.1']
  const session = await dialer.open(sessionRequest(server.port, { ipAddresses, proxy: through(proxy.port) }))
  // Nobody is there, and the proxy hangs up.
  assertOpen(session)
  assert.equal(session.remote.ipAddress, '127.0.0.1')
  assert.deepEqual(proxy.requests, [
    `4 2001:0db8:0000:0000:0000:0000:0000:0001:${server.port}`,
    `1 127.0.0.1:${server.port}`,
  ])
  await session.end()
})

const failures: readonly (readonly [
  rule: string,
  terms: Parameters<typeof socksServer>[1],
  reason: string,
])[] = [
  ['refuses', { reply: 2 }, 'the proxy answers: not allowed'],
  ['cannot reach the host', { reply: 4 }, 'the proxy answers: host unreachable'],
  ['is refused', { reply: 5 }, 'the proxy answers: connection refused'],
  ['is silent', { isSilent: true }, 'timed out'],
]
for (const [rule, terms, reason] of failures) {
  test(`a proxy that ${rule} gives no connection, and says so`, async (t) => {
    const proxy = await socksServer(t, terms)
    const none = await dialer.open(sessionRequest(25, { proxy: through(proxy.port) }))
    assertFailed(none)
    assert.deepEqual([none.stage, none.error], ['connection', `connecting to mx.example:25: ${reason}`])
    assert.equal(none.remote, undefined)
  })
}

test('where there is no proxy there is no connection', async () => {
  const none = await dialer.open(sessionRequest(25, { proxy: through(1) }))
  assertFailed(none)
  assert.equal(none.error, 'connecting to mx.example:25: the proxy does not answer')
})
