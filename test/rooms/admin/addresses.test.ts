import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { testAdmin } from '../../support/admin-ports.ts'

const domain = parseDomainName('shop.example')
const bookshop = parseDomainName('bücher.example')

function shopAdmin() {
  return testAdmin({
    domains: {
      [domain]: { separators: ['+', '--'], disabled: false },
      [bookshop]: { separators: [], disabled: false },
    },
    accounts: { shop: freshAccount, other: freshAccount },
  })
}

const assigned = [
  { why: 'in lower case', text: 'Ann@Shop.example', localpart: 'ann', shown: 'ann@shop.example' },
  { why: 'as the catchall of its domain', text: '@shop.example', localpart: '@', shown: '@shop.example' },
  {
    why: 'with quotes where it needs them',
    text: '"a b"@shop.example',
    localpart: 'a b',
    shown: '"a b"@shop.example',
  },
  { why: 'with a slash', text: 'a/b@shop.example', localpart: 'a/b', shown: 'a/b@shop.example' },
]

for (const { why, text, localpart, shown } of assigned) {
  test(`an address is kept and found ${why}`, async () => {
    const admin = shopAdmin()
    const path = `/addresses/${encodeURIComponent(text)}`
    assert.deepEqual(await admin.done('PUT', path, { Account: 'shop' }), { Address: shown, Account: 'shop' })
    assert.deepEqual(admin.state.entries, [{ domain, localpart, account: 'shop' }])
    assert.deepEqual(await admin.done('GET', path), { Address: shown, Account: 'shop' })
    assert.deepEqual(await admin.done('DELETE', path), {})
    assert.deepEqual(admin.state.entries, [])
  })
}

test('a slash that a gateway decoded belongs to the address', async () => {
  const admin = shopAdmin()
  await admin.done('PUT', '/addresses/a/b@shop.example', { Account: 'shop' })
  assert.deepEqual(admin.state.entries, [{ domain, localpart: 'a/b', account: 'shop' }])
})

test('giving an account its address again changes nothing', async () => {
  const admin = shopAdmin()
  await admin.done('PUT', '/addresses/ann@shop.example', { Account: 'shop' })
  await admin.done('PUT', '/addresses/ann@shop.example', { Account: 'shop' })
  assert.equal(admin.state.entries.length, 1)
})

test('an address can move to another account, and keeps one owner', async () => {
  const admin = shopAdmin()
  await admin.done('PUT', '/addresses/ann@shop.example', { Account: 'shop' })
  const moved = { Address: 'ann@shop.example', Account: 'other' }
  assert.deepEqual(await admin.done('PATCH', '/addresses/Ann@shop.example', { Account: 'other' }), moved)
  assert.deepEqual(admin.state.entries, [{ domain, localpart: 'ann', account: 'other' }])
  assert.equal((await admin.call('PATCH', '/addresses/bob@shop.example', { Account: 'other' })).status, 404)
  assert.equal((await admin.call('PATCH', '/addresses/ann@shop.example', { Account: 'nobody' })).status, 400)
})

const refused = [
  {
    why: 'an address of another account',
    text: 'taken@shop.example',
    message: 'Address: taken@shop.example belongs to account other already',
  },
  {
    why: 'an address of a domain that is not ours',
    text: 'ann@remote.example',
    message: 'Address: there is no domain remote.example; add it first',
  },
  {
    why: 'an address of a domain named like a property of objects',
    text: 'ann@constructor',
    message: 'Address: there is no domain constructor; add it first',
  },
  {
    why: 'an address that contains a separator',
    text: 'ann+b@shop.example',
    message: 'Address: must not contain +, a separator of shop.example',
  },
  {
    why: 'an address that contains a long separator',
    text: 'a--b@shop.example',
    message: 'Address: must not contain --, a separator of shop.example',
  },
  {
    why: 'the local part that stands for the catchall',
    text: '"@"@shop.example',
    message: 'Address: must not have the local part "@"',
  },
  { why: 'no address', text: 'ann', message: 'Address: malformed address "ann": no @' },
]

for (const { why, text, message } of refused) {
  test(`refuses ${why}`, async () => {
    const admin = shopAdmin()
    const taken = [{ domain, localpart: 'taken', account: 'other' }]
    admin.state.entries = taken
    const { status, json } = await admin.call('PUT', `/addresses/${encodeURIComponent(text)}`, {
      Account: 'shop',
    })
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: message })
    assert.deepEqual(admin.state.entries, taken)
  })
}

test('refuses an account that does not exist', async () => {
  const { status, json } = await shopAdmin().call('PUT', '/addresses/ann@shop.example', {
    Account: 'toString',
  })
  assert.equal(status, 400)
  assert.deepEqual(json, { Code: 'user', Message: 'Account: there is no account "toString"' })
})

for (const method of ['GET', 'DELETE']) {
  test(`${method} of an address that nobody has is 404`, async () => {
    const { status, json } = await shopAdmin().call(method, '/addresses/ann@shop.example')
    assert.equal(status, 404)
    assert.deepEqual(json, { Code: 'notFound', Message: 'nobody has the address ann@shop.example' })
  })
}

test('lists the addresses of all domains, or of one', async () => {
  const admin = shopAdmin()
  admin.state.entries = [
    { domain: bookshop, localpart: '☺', account: 'shop' },
    { domain, localpart: 'ann', account: 'other' },
  ]
  assert.deepEqual(await admin.done('GET', '/addresses'), [
    { Address: 'ann@shop.example', Account: 'other' },
    { Address: '☺@bücher.example', Account: 'shop' },
  ])
  assert.deepEqual(await admin.done('GET', '/addresses?domain=Shop.example'), [
    { Address: 'ann@shop.example', Account: 'other' },
  ])
})

test('refuses a misspelt query instead of listing everything', async () => {
  const { status, json } = await shopAdmin().call('GET', '/addresses?domian=shop.example')
  assert.equal(status, 400)
  assert.deepEqual(json, { Code: 'user', Message: 'domian: unknown field' })
})
