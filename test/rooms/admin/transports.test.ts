import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testAdmin } from '../../support/admin-ports.ts'

const relay = { kind: 'submission', host: 'smtp.example', port: 587, tls: 'required' } as const
const body = { Host: 'smtp.example', Port: 587, TLS: 'required' }

test('a transport is set, shown, listed and removed', async () => {
  const admin = testAdmin()
  const expected = { Name: 'relay', ...body }
  assert.deepEqual(await admin.done('PUT', '/transports/relay', body), expected)
  assert.deepEqual(admin.state.options.transports, { relay })
  assert.deepEqual(await admin.done('GET', '/transports/relay'), expected)
  assert.deepEqual(await admin.done('GET', '/transports'), [expected])
  assert.deepEqual(await admin.done('DELETE', '/transports/relay'), {})
  assert.deepEqual(await admin.done('GET', '/transports'), [])
})

for (const Host of ['localhost', '127.0.0.1', '::1', '2001:db8::25', 'bücher.example']) {
  test(`${Host} can be the host of a transport`, async () => {
    const admin = testAdmin()
    await admin.done('PUT', '/transports/relay', { ...body, Host })
    assert.deepEqual(admin.state.options.transports.relay, { ...relay, host: Host })
  })
}

const portRule = 'must be a whole number from 1 to 65535'
const hostRule = 'must be a host name or an IP address'
const badTransports = [
  ...['', 'a b', '127.1', '256.0.0.1', '1', '::g', ':::', '[::1]', 'smtp.example:25', 'a.example\r\n'].map(
    (Host) => ({
      change: { Host },
      message: `Host: ${hostRule}`,
    }),
  ),
  { change: { Port: 0 }, message: `Port: ${portRule}` },
  { change: { Port: 65536 }, message: `Port: ${portRule}` },
  { change: { Port: 25.5 }, message: `Port: ${portRule}` },
  { change: { Port: '25' }, message: 'Port: must be a number' },
  { change: { TLS: 'starttls' }, message: 'TLS: must be one of none, opportunistic, required' },
  { change: { TLS: undefined }, message: 'TLS: is required' },
  { change: { User: 'x' }, message: 'User: unknown field' },
]

for (const { change, message } of badTransports) {
  test(`refuses a transport with ${JSON.stringify(change)}`, async () => {
    const admin = testAdmin()
    const { status, json } = await admin.call('PUT', '/transports/relay', { ...body, ...change })
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: message })
    assert.deepEqual(admin.state.options.transports, {})
  })
}

test('refuses a name that a command line could not carry', async () => {
  const { status, json } = await testAdmin().call('PUT', '/transports/a,b', body)
  assert.equal(status, 400)
  assert.match((json as { Message: string }).Message, /^Transport: must be 1 to 63 lower-case letters/)
})

for (const method of ['GET', 'DELETE']) {
  test(`${method} of a transport that does not exist is 404`, async () => {
    const { status, json } = await testAdmin().call(method, '/transports/constructor')
    assert.equal(status, 404)
    assert.deepEqual(json, { Code: 'notFound', Message: 'there is no transport "constructor"' })
  })
}

test('keeps a transport that a route names', async () => {
  const route = { fromDomains: [], toDomains: [], minimumAttempts: 0, transport: 'relay' }
  const admin = testAdmin({ transports: { relay }, routes: [route] })
  const { status, json } = await admin.call('DELETE', '/transports/relay')
  assert.equal(status, 400)
  assert.deepEqual(json, {
    Code: 'user',
    Message: 'Transport: relay is named by a route; change the routes first',
  })
  assert.deepEqual(admin.state.options.transports, { relay })
})

test('the routes are set as a whole, in their order', async () => {
  const admin = testAdmin({ transports: { relay, backup: relay } })
  const expected = [
    { FromDomain: ['shop.example'], ToDomain: ['.remote.example'], MinimumAttempts: 3, Transport: 'backup' },
    { FromDomain: [], ToDomain: [], MinimumAttempts: 0, Transport: 'relay' },
  ]
  const given = [
    { FromDomain: ['Shop.example'], ToDomain: ['.remote.example'], MinimumAttempts: 3, Transport: 'backup' },
    { Transport: 'relay' },
  ]
  assert.deepEqual(await admin.done('PUT', '/routes', given), expected)
  assert.deepEqual(await admin.done('GET', '/routes'), expected)
  assert.deepEqual(admin.state.options.routes[0], {
    fromDomains: ['shop.example'],
    toDomains: ['.remote.example'],
    minimumAttempts: 3,
    transport: 'backup',
  })
  assert.deepEqual(await admin.done('PUT', '/routes', []), [])
})

const badRoutes = [
  {
    why: 'an unknown transport',
    routes: [{ Transport: 'relay' }, { Transport: 'toString' }],
    message: 'Routes[1].Transport: there is no transport "toString"',
  },
  { why: 'no transport', routes: [{}], message: 'Routes[0].Transport: is required' },
  {
    why: 'a malformed domain',
    routes: [{ Transport: 'relay', ToDomain: ['a.example', '..example'] }],
    message: 'Routes[0].ToDomain[1]: malformed domain name ".example": bad label ""',
  },
  {
    why: 'a negative number of attempts',
    routes: [{ Transport: 'relay', MinimumAttempts: -1 }],
    message: 'Routes[0].MinimumAttempts: must be a whole number from 0 to 100',
  },
  {
    why: 'an unknown field',
    routes: [{ Transport: 'relay', To: [] }],
    message: 'Routes[0].To: unknown field',
  },
  { why: 'no list', routes: {}, message: 'Routes: must be a list' },
]

for (const { why, routes, message } of badRoutes) {
  test(`refuses routes with ${why}`, async () => {
    const admin = testAdmin({ transports: { relay } })
    const { status, json } = await admin.call('PUT', '/routes', routes)
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: message })
    assert.deepEqual(admin.state.options.routes, [])
  })
}
