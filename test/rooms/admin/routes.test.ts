import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount, freshOptions, type Options } from '../../../shared/account/options.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { testAdmin } from '../../support/admin-ports.ts'

const relay = { kind: 'submission', host: 'smtp.example', port: 587, tls: 'required' } as const
const domain = parseDomainName('bücher.example')
const hosted = { separators: [], disabled: false }
const route = { fromDomains: [], toDomains: [], minimumAttempts: 0, transport: 'relay' }
const routeJson = { FromDomain: [], ToDomain: [], MinimumAttempts: 0, Transport: 'relay' }

/** Whose routes there are, and where they lie. */
const owners: readonly { owner: string; path: string; named: Partial<Options> }[] = [
  { owner: 'the installation', path: '/routes', named: { routes: [route] } },
  {
    owner: 'account shop',
    path: '/accounts/shop/routes',
    named: { accounts: { shop: { ...freshAccount, routes: [route] } } },
  },
  {
    owner: 'domain bücher.example',
    path: '/domains/b%C3%BCcher.example/routes',
    named: { domains: { [domain]: { ...hosted, routes: [route] } } },
  },
]
const installed: Partial<Options> = {
  transports: { relay },
  accounts: { shop: freshAccount },
  domains: { [domain]: hosted },
}

for (const { owner, path, named } of owners) {
  test(`the routes of ${owner} are none until they are set`, async () => {
    const admin = testAdmin(installed)
    assert.deepEqual(await admin.done('GET', path), [])
    assert.deepEqual(await admin.done('PUT', path, [routeJson]), [routeJson])
    assert.deepEqual(await admin.done('GET', path), [routeJson])
    assert.deepEqual(admin.state.options, { ...freshOptions, ...installed, ...named, version: 1 })
  })

  test(`keeps a transport that a route of ${owner} names`, async () => {
    const admin = testAdmin({ ...installed, ...named })
    const { status, json } = await admin.call('DELETE', '/transports/relay')
    assert.equal(status, 400)
    assert.deepEqual(json, {
      Code: 'user',
      Message: `Transport: relay is named by a route of ${owner}; change the routes first`,
    })
    assert.deepEqual(admin.state.options.transports, { relay })
  })
}

test('routes stay when other settings of their account or domain change', async () => {
  const admin = testAdmin({ ...installed, ...owners[1]?.named, ...owners[2]?.named })
  await admin.done('PATCH', '/accounts/shop', { FullName: 'The Shop' })
  await admin.done('PATCH', '/domains/bücher.example', { Disabled: true })
  await admin.done('PUT', '/domains/bücher.example', {})
  assert.deepEqual(admin.state.options.accounts.shop?.routes, [route])
  assert.deepEqual(admin.state.options.domains[domain]?.routes, [route])
})

for (const path of ['/accounts/bogus/routes', '/domains/bogus.example/routes']) {
  for (const method of ['GET', 'PUT']) {
    test(`${method} ${path} is 404`, async () => {
      const { status } = await testAdmin(installed).call(method, path, method === 'PUT' ? [] : undefined)
      assert.equal(status, 404)
    })
  }
}

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
