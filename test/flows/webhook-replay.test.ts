import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { dynamoCallLists } from '../../shared/adapters/aws/call-lists.ts'
import { dynamoMessageLists } from '../../shared/adapters/aws/message-lists.ts'
import { dynamoOperationStore } from '../../shared/adapters/aws/operation-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import type { RetiredCallJson } from '../../shared/admin/call-json.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { HOUR } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { atBeginning } from '../../shared/operations/operation.ts'
import { runOperation } from '../../shared/operations/run-operation.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type ReceivedCall, type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

const MESSAGES = 3
const authorization = 'Bearer of-the-application'

let postern: TestPostern
let application: WebhookReceiver
/** 410 ends a call with its first attempt. */
let status = 410
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context, () => status)
  await postern.admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out`, Authorization: authorization },
    KeepRetiredWebhookPeriod: HOUR * 1_000_000,
  })
  // A running function may work with options that are five seconds old.
  await sleep(5_000)
  for (let place = 0; place < MESSAGES; place++) {
    await postern.call('Send', { To: [{ Address: 'a@other.test' }], Subject: `message ${place}`, Text: 'x' })
  }
  await eventually('all calls have failed', async () => (await matched({ Success: false })) === MESSAGES)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

async function replay(Filter: object, more: object = {}): Promise<OperationJson> {
  return await postern.admin.post('/webhooks/actions', { Action: 'replay', Filter, ...more })
}

async function matched(filter: object): Promise<number> {
  const { Matched, Changed } = await replay(filter, { DryRun: true })
  assert.equal(Changed, 0)
  return Matched
}

const idOf = ({ headers }: ReceivedCall) => String(headers['x-mox-webhook-id'])

test('a replay chooses finished calls by how and when they ended', async () => {
  assert.equal(await matched({ Success: true }), 0)
  assert.equal(await matched({ LastActivity: '<-1h' }), 0)
  assert.equal(await matched({ LastActivity: '>-1h', Account: 'postern', Event: 'delivered' }), MESSAGES)
  assert.equal((await postern.admin.get<object[]>('/webhooks/retired?result=success')).length, 0)
  assert.equal(application.calls.length, MESSAGES, 'a dry run calls nobody')
})

test('a receiver that was mended hears each failed call once more: the same body under a new id, and the old one stays', async () => {
  status = 204
  const before = [...application.calls]
  const operation = await replay({ Success: false })
  assert.deepEqual([operation.State, operation.Matched, operation.Changed], ['done', MESSAGES, MESSAGES])
  const again = await eventually('the calls', async () => {
    const later = application.calls.slice(before.length)
    return later.length >= MESSAGES && later
  })
  const texts = (calls: readonly ReceivedCall[]) => calls.map(({ text }) => text).sort()
  assert.deepEqual(texts(again), texts(before))
  assert.equal(new Set([...before, ...again].map(idOf)).size, 2 * MESSAGES)
  for (const { headers } of again) {
    assert.deepEqual([headers.authorization, headers['x-mox-webhook-attempt']], [authorization, '1'])
  }
  await eventually('both are listed', async () => {
    const retired = await postern.admin.get<RetiredCallJson[]>('/webhooks/retired')
    const ids = (isSuccess: boolean) =>
      retired
        .filter(({ Success }) => Success === isSuccess)
        .map(({ ID }) => String(ID))
        .sort()
    return (
      ids(true).join() === again.map(idOf).sort().join() &&
      ids(false).join() === before.map(idOf).sort().join()
    )
  })
})

test('the same operation repeated, as by a runner that died before it wrote down its steps, replays nothing more', async () => {
  const { clock } = postern.local.cloud
  const { table } = postern
  const { ID, Changed } = await replay({ Success: false })
  assert.equal(Changed, MESSAGES)
  const operations = dynamoOperationStore(table, clock)
  const done = (await operations.read(ID as RowId)) ?? assert.fail('no operation')
  const lossy = { send: async () => {}, depth: async () => 0 }
  const ports = {
    ...storesOf(table, clock),
    options: dynamoOptionsStore(table, clock),
    deliveries: lossy,
    webhooks: lossy,
    messageLists: dynamoMessageLists(table, clock),
    callLists: dynamoCallLists(table, clock),
    operations: { ...operations, advance: async () => true, read: async () => undefined },
    clock,
  }
  const again = { ...done, state: 'running', progress: atBeginning } as const
  const { progress } = await runOperation(ports, again, { rows: 1000, until: Number.POSITIVE_INFINITY })
  assert.equal(progress.changed, 0)
  await eventually('the calls of the first time', () => application.calls.length === 3 * MESSAGES)
  await sleep(3_000)
  assert.equal(application.calls.length, 3 * MESSAGES)
})

test('one call is replayed by its id, as often as it is asked for', async () => {
  const [failed] = await postern.admin.get<RetiredCallJson[]>('/webhooks/retired?result=failure')
  const before = application.calls.length
  for (const times of [1, 2]) {
    const { Changed } = await replay({ IDs: [`postern/${failed?.ID}`] })
    assert.equal(Changed, 1)
    await eventually('the call', () => application.calls.length === before + times)
  }
  assert.equal(application.calls.at(-1)?.text, failed?.Payload)
})

test('a call about received mail is replayed with its body, which is too large for its row', async () => {
  status = 410
  await postern.admin.patch('/accounts/postern', { IncomingWebhook: { URL: `${application.url}/in` } })
  await sleep(6_000)
  const Text = 'some words '.repeat(500).trim()
  await postern.call('Send', { To: [{ Address: 'b@other.test' }], Subject: 'large', Text })
  const filter = { Event: 'incoming', Success: false }
  await eventually('the call has failed', async () => (await matched(filter)) === 1)
  status = 200
  assert.equal((await replay(filter)).Changed, 1)
  const [first, again] = await eventually('both calls', () => {
    const calls = application.calls.filter(({ path }) => path === '/in')
    return calls.length === 2 && calls
  })
  assert.equal(String(again?.json.Text).trim(), Text)
  assert.equal(again?.text, first?.text)
})
