import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { SECOND } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { testAdmin } from '../../support/admin-ports.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { webhookCall } from './webhook-call.ts'

const at = Date.UTC(2026, 5, 1)
const accounts = { shop: freshAccount, other: freshAccount }
const transports = { relay: { kind: 'smtp', host: 'relay.example', port: 25, tls: 'none' } as const }

const DURATION = 'must be a duration such as 1h30m or -10m'
const TIME = 'must be now, a duration from now such as 30m, or RFC 3339'
const LATE = 'must be within 80 days'
const filterTime = 'must be < or > and a time: now, a duration from now such as -1h30m, or RFC 3339'

const refused: readonly { queue?: string; body: object; message: string }[] = [
  { body: {}, message: 'Action: is required' },
  {
    body: { Action: 'kick', Filter: {} },
    message: 'Action: must be one of hold, release, schedule, postpone, transport, requiretls, fail, drop',
  },
  { body: { Action: 'hold' }, message: 'Filter: is required' },
  { body: { Action: 'hold', Filter: { Sender: 'x' } }, message: 'Filter.Sender: unknown field' },
  { body: { Action: 'hold', Filter: {}, Limit: 1 }, message: 'Limit: unknown field' },
  { body: { Action: 'hold', Filter: { IDs: [1.5] } }, message: 'Filter.IDs[0]: is malformed' },
  {
    body: { Action: 'hold', Filter: { IDs: ['shop/x'] } },
    message: 'IDs: "shop/x" is no ID, such as shop/846103…',
  },
  {
    body: { Action: 'hold', Filter: { Account: 'nobody' } },
    message: 'account: there is no account "nobody"',
  },
  { body: { Action: 'hold', Filter: { Hold: 'yes' } }, message: 'Filter.Hold: must be true or false' },
  { body: { Action: 'hold', Filter: { Submitted: '-1h' } }, message: `Submitted: ${filterTime}` },
  { body: { Action: 'hold', Filter: { NextAttempt: '<x' } }, message: `NextAttempt: ${filterTime}` },
  { body: { Action: 'hold', Filter: {}, DryRun: 'x' }, message: 'DryRun: must be true or false' },
  { body: { Action: 'schedule', Filter: {} }, message: 'At: is required' },
  { body: { Action: 'schedule', Filter: {}, At: 'soon' }, message: `At: ${TIME}` },
  { body: { Action: 'schedule', Filter: {}, At: '1921h' }, message: `At: ${LATE}` },
  { body: { Action: 'postpone', Filter: {} }, message: 'By: is required' },
  { body: { Action: 'postpone', Filter: {}, By: 'now' }, message: `By: ${DURATION}` },
  { body: { Action: 'postpone', Filter: {}, By: '-1921h' }, message: `By: ${LATE}` },
  {
    body: { Action: 'transport', Filter: {} },
    message: 'Transport: is required; empty follows the routes',
  },
  {
    body: { Action: 'transport', Filter: {}, Transport: 'bogus' },
    message: 'Transport: there is no transport "bogus"',
  },
  {
    body: { Action: 'requiretls', Filter: {} },
    message: 'RequireTLS: is required: true, false or null',
  },
  {
    queue: 'webhooks',
    body: { Action: 'hold', Filter: {} },
    message: 'Action: must be one of release, schedule, postpone, cancel, replay',
  },
  {
    queue: 'webhooks',
    body: { Action: 'cancel', Filter: { From: 'x' } },
    message: 'Filter.From: unknown field',
  },
  {
    queue: 'webhooks',
    body: { Action: 'cancel', Filter: { Event: 'sent' } },
    message:
      'Filter.Event: must be one of delivered, suppressed, delayed, failed, relayed, expanded, canceled, unrecognized, incoming, test',
  },
  { queue: 'webhooks', body: { Action: 'schedule', Filter: {} }, message: 'At: is required' },
  {
    queue: 'webhooks',
    body: { Action: 'replay', Filter: { NextAttempt: '<1h' } },
    message: 'Filter.NextAttempt: finished calls have none',
  },
  {
    queue: 'webhooks',
    body: { Action: 'cancel', Filter: { Success: false } },
    message: 'Filter.Success: only finished calls have one: see replay',
  },
  {
    queue: 'webhooks',
    body: { Action: 'schedule', At: 'now', Filter: { LastActivity: '>-1h' } },
    message: 'Filter.LastActivity: only finished calls have one: see replay',
  },
  {
    queue: 'webhooks',
    body: { Action: 'replay', Filter: { Success: 'no' } },
    message: 'Filter.Success: must be true or false',
  },
]
for (const { queue = 'queue', body, message } of refused) {
  test(`POST /${queue}/actions ${JSON.stringify(body)} is refused, and begins nothing`, async () => {
    const admin = testAdmin({ accounts, transports })
    const { status, json } = await admin.call('POST', `/${queue}/actions`, body)
    assert.deepEqual([status, json], [400, { Code: 'user', Message: message }])
    assert.equal(admin.state.operations.size, 0)
  })
}

test('AT-65: an action on an empty queue matches nothing and is done', async () => {
  const admin = testAdmin({ accounts })
  const { ID, ...rest } = (await admin.done('POST', '/queue/actions', { Action: 'drop', Filter: {} })) as {
    ID: number
  }
  assert.deepEqual(rest, {
    Queue: 'messages',
    Action: 'drop',
    DryRun: false,
    State: 'done',
    Started: '2026-06-01T00:00:00.000Z',
    Moved: '2026-06-01T00:00:00.000Z',
    Accounts: 2,
    AccountsDone: 2,
    Read: 0,
    Matched: 0,
    Changed: 0,
    Attempting: 0,
    TooLate: 0,
  })
  assert.deepEqual(await admin.done('GET', `/operations/${ID}`), { ID, ...rest })
})

test('a dry run counts what matches, of all accounts, and touches nothing', async () => {
  const admin = testAdmin({ accounts })
  admin.state.queued = [
    ...Array.from({ length: 250 }, (_, place) => queuedMessage({ id: rowIdAt(at, place) })),
    queuedMessage({ account: 'other', hold: { reason: 'x', since: at } }),
    queuedMessage({ account: 'other', id: rowIdAt(at, 9), queuedAt: at + SECOND }),
    queuedMessage({
      id: rowIdAt(at, 999),
      state: 'done',
      retired: { success: true, lastActivityAt: at, keepUntil: at + 1 },
    }),
  ]
  const count = async (Filter: object) => {
    const body = { Action: 'fail', Filter, DryRun: true }
    const { Matched, Changed } = (await admin.done('POST', '/queue/actions', body)) as Record<string, number>
    return [Matched, Changed]
  }
  // What was queued after the operation began is not meant.
  assert.deepEqual(await count({}), [251, 0])
  assert.deepEqual(await count({ Hold: true }), [1, 0])
  assert.deepEqual(await count({ Hold: null, Transport: null, From: '', Submitted: '' }), [251, 0])
  assert.deepEqual(await count({ IDs: [`shop/${rowIdAt(at, 3)}`] }), [1, 0])
  assert.deepEqual(await count({ IDs: [] }), [0, 0])
})

test('a dry run of webhook calls counts those of an event', async () => {
  const admin = testAdmin({ accounts })
  admin.state.calls = [webhookCall(), webhookCall({ id: rowIdAt(at, 2), event: 'incoming' })]
  const body = { Action: 'cancel', Filter: { Event: 'incoming' }, DryRun: true }
  const { Queue, Action, Matched } = (await admin.done('POST', '/webhooks/actions', body)) as Record<
    string,
    unknown
  >
  assert.deepEqual([Queue, Action, Matched], ['webhooks', 'cancel', 1])
})

for (const kind of ['direct', 'ses'] as const) {
  test(`messages can be told to go by a transport of kind ${kind}`, async () => {
    const admin = testAdmin({ accounts, transports: { way: { kind } } })
    const body = { Action: 'transport', Filter: {}, Transport: 'way' }
    const { State } = (await admin.done('POST', '/queue/actions', body)) as { State: string }
    assert.equal(State, 'done')
  })
}

test('operations are listed, the last first, under the names of their actions', async () => {
  const admin = testAdmin({ accounts, transports })
  for (const more of [
    { Action: 'requiretls', RequireTLS: null },
    { Action: 'transport', Transport: 'relay' },
    { Action: 'schedule', At: '30m' },
    { Action: 'postpone', By: '-1h' },
  ]) {
    await admin.done('POST', '/queue/actions', { Filter: {}, ...more })
  }
  const listed = (await admin.done('GET', '/operations')) as { ID: number; Action: string }[]
  assert.deepEqual(listed.map(({ Action }) => Action).sort(), [
    'postpone',
    'requiretls',
    'schedule',
    'transport',
  ])
  assert.deepEqual(
    listed.map(({ ID }) => ID),
    listed.map(({ ID }) => ID).sort((one, other) => other - one),
  )
  assert.equal(((await admin.done('GET', '/operations?limit=1')) as unknown[]).length, 1)
})

for (const method of ['GET', 'DELETE']) {
  for (const id of ['9', 'x']) {
    test(`${method} of the operation ${id}, which does not exist, is 404`, async () => {
      const { status, json } = await testAdmin({ accounts }).call(method, `/operations/${id}`)
      assert.deepEqual([status, json], [404, { Code: 'notFound', Message: `there is no operation ${id}` }])
    })
  }
}

test('an operation that is done cannot be canceled any more, and says so by its state', async () => {
  const admin = testAdmin({ accounts })
  const begun = await admin.done('POST', '/queue/actions', { Action: 'hold', Filter: {} })
  const { ID } = begun as { ID: number }
  assert.deepEqual(await admin.done('DELETE', `/operations/${ID}`), begun)
})
