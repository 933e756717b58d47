import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { basic, INITIAL_PASSWORD, type TestAdmin, testAdmin } from '../../support/admin-ports.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { webhookCall } from './webhook-call.ts'

const at = Date.UTC(2026, 5, 1)
const [both, one] = [rowIdAt(at, 1), rowIdAt(at, 2)]

function installation(): TestAdmin {
  const admin = testAdmin({ accounts: { shop: freshAccount, other: freshAccount } })
  admin.state.queued = [
    queuedMessage({ account: 'shop', id: both, base: both }),
    queuedMessage({ account: 'other', id: both, base: both }),
    queuedMessage({ account: 'other', id: one, base: one }),
  ]
  admin.state.calls = [webhookCall({ account: 'other', id: one })]
  return admin
}

async function accountOf(admin: TestAdmin, path: string): Promise<unknown> {
  const { SenderAccount, Account } = (await admin.done('GET', path)) as Record<string, unknown>
  return SenderAccount ?? Account
}

test('a row is named by its account and ID, or by its ID alone where one account has it', async () => {
  const admin = installation()
  assert.equal(await accountOf(admin, `/queue/shop/${both}`), 'shop')
  assert.equal(await accountOf(admin, `/queue/other/${both}`), 'other')
  assert.equal(await accountOf(admin, `/queue/${one}`), 'other')
  assert.equal(await accountOf(admin, `/webhooks/${one}`), 'other')
  assert.equal(await accountOf(admin, `/webhooks/other/${one}`), 'other')
})

test('an ID that several accounts have is refused with the candidates', async () => {
  const admin = installation()
  const message = `${both} may be other/${both}, shop/${both}; name the account too`
  for (const { path, field } of [
    { path: `/queue/${both}`, field: 'ID' },
    { path: `/queue?ids=${both}`, field: 'IDs' },
  ]) {
    const { status, json } = await admin.call('GET', path)
    assert.deepEqual([status, json], [400, { Code: 'user', Message: `${field}: ${message}` }])
  }
  const { json } = await admin.call('POST', '/queue/actions', { Action: 'hold', Filter: { IDs: [both] } })
  assert.deepEqual(json, { Code: 'user', Message: `IDs: ${message}` })
})

test('an ID alone is of the account that the filter names', async () => {
  const admin = installation()
  const rows = (await admin.done('GET', `/queue?ids=${both}&account=shop`)) as unknown[]
  assert.equal(rows.length, 1)
})

test('a row that is named twice is meant once', async () => {
  const admin = installation()
  const asked: number[] = []
  const { readMany } = admin.ports.messageLists
  admin.ports.messageLists.readMany = async (names) => {
    asked.push(names.length)
    return await readMany(names)
  }
  const names = [`other/${one}`, one, String(one)]
  const operation = await admin.done('POST', '/queue/actions', {
    Action: 'hold',
    Filter: { IDs: names },
    DryRun: true,
  })
  assert.equal((operation as { Matched: number }).Matched, 1)
  assert.equal(asked.at(-1), 1)
})

test('more than 500 names are refused', async () => {
  const IDs = Array.from({ length: 501 }, (_, place) => `shop/${place + 1}`)
  const { status, json } = await installation().call('POST', '/queue/actions', {
    Action: 'hold',
    Filter: { IDs },
  })
  assert.deepEqual([status, json], [400, { Code: 'user', Message: 'IDs: must be at most 500 names' }])
})

for (const path of ['/queue/9', '/queue/shop/9', '/queue/nobody/9', '/queue/9/content', '/webhooks/9']) {
  test(`AT-31: GET ${path} of a row that does not exist is 404`, async () => {
    const { status, json } = await installation().call('GET', path)
    const name = path.replace(/^\/(queue|webhooks)\/|\/content$/g, '')
    assert.deepEqual([status, json], [404, { Code: 'notFound', Message: `there is no ${name}` }])
  })
}

async function content(admin: TestAdmin, name: string): Promise<Response> {
  return await admin.app.request(`/admin/api/queue/${name}/content`, {
    headers: { Authorization: basic('admin', INITIAL_PASSWORD) },
  })
}

test('AT-31: the content of a queued message is answered octet for octet', async () => {
  const admin = installation()
  const bytes = Buffer.from('Subject: \xe9\r\n\r\n\xff\x00x\r\n', 'latin1')
  admin.state.contents = { [`queue/${one}`]: bytes }
  const answer = await content(admin, `other/${one}`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('Content-Type'), 'message/rfc822')
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes)
})

test('AT-31: a content that no answer can hold is a redirection to where it lies', async () => {
  const admin = installation()
  admin.state.queued = [queuedMessage({ id: one, base: both, size: 5_000_000 })]
  const answer = await content(admin, String(one))
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('Location'), `https://bucket.example/queue/${both}`)
})

const kept = at + 1_000
for (const { state, row, message } of [
  {
    state: 'a finished message',
    row: queuedMessage({
      id: one,
      state: 'done',
      retired: { success: true, lastActivityAt: at, keepUntil: kept },
    }),
    message: `${one} is finished: its content is not kept`,
  },
  {
    state: 'a message that waited too long',
    row: queuedMessage({ id: one }),
    message: `the content of ${one} is no longer kept`,
  },
]) {
  test(`AT-31: ${state} has no content`, async () => {
    const admin = installation()
    admin.state.queued = [row]
    const answer = await content(admin, String(one))
    assert.deepEqual([answer.status, await answer.json()], [404, { Code: 'notFound', Message: message }])
  })
}
