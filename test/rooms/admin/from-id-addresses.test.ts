import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { type TestAdmin, testAdmin } from '../../support/admin-ports.ts'

const domains = {
  'shop.example': { separators: ['+'], disabled: false },
  'xn--bcher-kva.example': { separators: ['-'], disabled: false },
  'plain.example': { separators: [], disabled: false },
}

async function shopWithAddresses(): Promise<TestAdmin> {
  const admin = testAdmin({ domains, accounts: { shop: freshAccount, bob: freshAccount } })
  for (const address of ['ann@shop.example', '@bücher.example', 'ann@plain.example']) {
    await admin.done('PUT', `/addresses/${encodeURIComponent(address)}`, { Account: 'shop' })
  }
  await admin.done('PUT', '/addresses/bob@shop.example', { Account: 'bob' })
  return admin
}

const accepted: readonly (readonly [rule: string, given: readonly string[], kept: readonly string[]])[] = [
  ['own address', ['ann@shop.example'], ['ann@shop.example']],
  ['own address with suffix and its case', ['Ann+API@Shop.example'], ['Ann+API@shop.example']],
  ['address of an own catchall, in an IDN', ['any@Bücher.example'], ['any@xn--bcher-kva.example']],
  ['several', ['ann@shop.example', 'ann+api@shop.example'], ['ann@shop.example', 'ann+api@shop.example']],
]
for (const [rule, given, kept] of accepted) {
  test(`AT-63: FromID addresses, ${rule}: kept, and cleared again`, async () => {
    const admin = await shopWithAddresses()
    await admin.done('PATCH', '/accounts/shop', { FromIDLoginAddresses: given })
    assert.deepEqual(admin.state.options.accounts.shop?.fromIdLoginAddresses, kept)
    await admin.done('PATCH', '/accounts/shop', { FromIDLoginAddresses: [] })
    assert.deepEqual(admin.state.options.accounts.shop?.fromIdLoginAddresses, [])
  })
}

const refused: readonly (readonly [given: string, problem: string])[] = [
  ['ann@elsewhere.example', 'there is no domain elsewhere.example'],
  ['bob@shop.example', 'bob@shop.example is no address of account shop'],
  ['nobody@shop.example', 'nobody@shop.example is no address of account shop'],
  ['ann@plain.example', 'plain.example has no catchall separator, which unique senders need'],
  ['ann', 'malformed address "ann": no @'],
]
for (const [given, problem] of refused) {
  test(`AT-63: the FromID address ${given} is refused by its place in the list`, async () => {
    const admin = await shopWithAddresses()
    const body = { FromIDLoginAddresses: ['ann@shop.example', given] }
    const { status, json } = await admin.call('PATCH', '/accounts/shop', body)
    assert.equal(status, 400)
    assert.match(JSON.stringify(json), /FromIDLoginAddresses\[1\]/)
    assert.ok(JSON.stringify(json).includes(JSON.stringify(problem).slice(1, -1)), JSON.stringify(json))
    assert.deepEqual(admin.state.options.accounts.shop?.fromIdLoginAddresses, [])
  })
}
