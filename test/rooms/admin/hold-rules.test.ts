import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import type { HoldRuleJson } from '../../../shared/admin/hold-rules.ts'
import { type TestAdmin, testAdmin } from '../../support/admin-ports.ts'

const accounts = { shop: freshAccount }

async function add(admin: TestAdmin, body: object): Promise<HoldRuleJson> {
  return (await admin.done('POST', '/holdrules', body)) as HoldRuleJson
}

test('a rule is added, listed and removed; its number is never given again', async () => {
  const admin = testAdmin({ accounts })
  const first = await add(admin, { Account: 'shop' })
  assert.deepEqual(first, {
    ID: 1,
    Created: '2026-06-01T00:00:00.000Z',
    Account: 'shop',
    Sender: '',
    Recipient: '',
  })
  assert.deepEqual(await admin.done('GET', '/holdrules'), [first])
  assert.deepEqual(await admin.done('DELETE', '/holdrules/1'), {})
  assert.deepEqual(await admin.done('GET', '/holdrules'), [])
  assert.ok((await add(admin, {})).ID > first.ID)
})

test('AT-66: a rule names addresses and domains as they are written, and shows them in Unicode', async () => {
  const admin = testAdmin({ accounts })
  const { ID, Sender, Recipient } = await add(admin, {
    Sender: 'XN--bcher-kva.Example',
    Recipient: 'Bob@Bücher.Example',
  })
  assert.deepEqual([Sender, Recipient], ['bücher.example', 'bob@bücher.example'])
  const [stored] = admin.state.options.holdRules
  assert.deepEqual(
    [stored?.id, stored?.sender, stored?.recipient],
    [ID, 'xn--bcher-kva.example', 'bob@xn--bcher-kva.example'],
  )
})

test('a rule may name a local part that must be quoted (RFC 5321 §4.1.2)', async () => {
  const admin = testAdmin({ accounts })
  await add(admin, { Recipient: '"b o b"@remote.example' })
  const [rule] = (await admin.done('GET', '/holdrules')) as HoldRuleJson[]
  assert.equal(rule?.Recipient, '"b o b"@remote.example')
})

test('a new rule begins an operation on what waits', async () => {
  const admin = testAdmin({ accounts })
  const { ID } = await add(admin, { Account: 'shop', Recipient: 'remote.example' })
  const [operation] = admin.state.operations.values()
  assert.deepEqual(operation?.work, {
    queue: 'messages',
    filter: { account: 'shop' },
    rule: admin.state.options.holdRules[0],
    action: { kind: 'hold', reason: `hold rule ${ID}` },
  })
})

const place = 'must be an address or a domain name'
for (const { body, message } of [
  { body: { Account: 'nobody' }, message: 'account: there is no account "nobody"' },
  { body: { Sender: '@shop.example' }, message: `Sender: ${place}` },
  { body: { Recipient: 'a b' }, message: `Recipient: ${place}` },
  { body: { Recipient: 'bob@remote.example\r\n' }, message: `Recipient: ${place}` },
  { body: { SenderDomain: 'shop.example' }, message: 'SenderDomain: unknown field' },
  { body: { Account: null }, message: 'Account: must be a text' },
]) {
  test(`POST /holdrules ${JSON.stringify(body)} is refused, and holds nothing`, async () => {
    const admin = testAdmin({ accounts })
    const { status, json } = await admin.call('POST', '/holdrules', body)
    assert.deepEqual([status, json], [400, { Code: 'user', Message: message }])
    assert.deepEqual([admin.state.options.holdRules, admin.state.operations.size], [[], 0])
  })
}

test('more than 1000 rules are refused', async () => {
  const rule = { createdAt: 0, account: '', sender: '', recipient: '' }
  const holdRules = Array.from({ length: 1000 }, (_, id) => ({ ...rule, id }))
  const { status, json } = await testAdmin({ accounts, holdRules }).call('POST', '/holdrules', {})
  assert.deepEqual(
    [status, json],
    [400, { Code: 'user', Message: 'holdrules: there are 1000 already, which is the most' }],
  )
})

for (const id of ['9', 'x']) {
  test(`DELETE of the rule ${id}, which does not exist, is 404`, async () => {
    const { status, json } = await testAdmin({ accounts }).call('DELETE', `/holdrules/${id}`)
    assert.deepEqual([status, json], [404, { Code: 'notFound', Message: `there is no hold rule ${id}` }])
  })
}
