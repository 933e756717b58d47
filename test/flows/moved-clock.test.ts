import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { runPostern } from '../cli/admin-server.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type ReceivedCall, type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(context, ({ json }) => (json.Subject === 'refused call' ? 500 : 200))
  await postern.admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: application.url, Authorization: '', Events: [] },
  })
  // Beyond what a running function remembers of the options.
  await move('+10s')
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** As an operator does it. */
async function move(duration: string): Promise<void> {
  const outcome = await runPostern(['time', duration], { POSTERN_URL: postern.local.cloud.apiUrl })
  assert.equal(outcome.stderr, '')
}

async function send(address: string, Subject: string): Promise<RowId> {
  const sent = await postern.call('Send', { To: [{ Address: address }], Subject, Text: 'x' })
  const [submission] = sent.json.Submissions as { QueueMsgID: RowId }[]
  return submission?.QueueMsgID ?? assert.fail(JSON.stringify(sent.json))
}

async function readRow(id: RowId) {
  const row = await storesOf(postern.table).queue.read('postern', id)
  return row ?? assert.fail(`no row ${id}`)
}

/** What the application was told of a message, the first first. */
function eventsOf(id: RowId): readonly unknown[] {
  return callsOf(id).map(({ json }) => json.Event)
}

function callsOf(id: RowId): readonly ReceivedCall[] {
  return application.calls.filter(({ json }) => json.QueueMsgID === id)
}

/** Until attempt `count` has an outcome that the application knows. */
async function attempted(id: RowId, count: number): Promise<void> {
  await eventually(`attempt ${count}`, async () => {
    const { state, attempts } = await readRow(id)
    return state !== 'attempting' && attempts >= count && eventsOf(id).length >= count
  })
  assert.equal((await readRow(id)).attempts, count)
}

test('moved clock: a message that is refused for now is tried eight times by its schedule, and then has failed', async () => {
  const id = await send('b+451@other.test', 'deferred')
  await attempted(id, 1)
  await move('+7m')
  assert.equal((await readRow(id)).attempts, 1, 'not before its time')
  await move('+1m')
  await attempted(id, 2)
  await move('+8m')
  await move('+8m')
  await attempted(id, 3)
  for (const [place, duration] of ['+32m', '+64m', '+2h8m', '+4h16m', '+8h32m'].entries()) {
    await move(duration)
    await attempted(id, place + 4)
  }
  assert.deepEqual(eventsOf(id), [...Array(7).fill('delayed'), 'failed'])
  const row = await readRow(id)
  assert.deepEqual([row.state, row.retired?.success], ['done', false])
  for (const [place, { startedAt, status }] of row.results.entries()) {
    assert.equal(status, 'temporary')
    const before = row.results[place - 1]?.startedAt
    // 7.5 minutes doubling, 5 seconds of jitter less.
    if (before !== undefined)
      assert.ok(startedAt - before >= 445_000 * 2 ** (place - 1), `attempt ${place + 1}`)
  }
  await eventually('the queue is empty', async () => (await postern.admin.get<[]>('/queue')).length === 0)
})

test('moved clock: an application that fails is called again by the schedule of calls', async () => {
  const id = await send('ann@other.test', 'refused call')
  const attempts = () => callsOf(id).map(({ headers }) => headers['x-mox-webhook-attempt'])
  await eventually('the first call', () => attempts().length > 0)
  for (const [place, duration] of ['+61s', '+122s', '+243s'].entries()) {
    await move(duration)
    await eventually(`call ${place + 2}`, () => attempts().length > place + 1)
  }
  assert.deepEqual(attempts(), ['1', '2', '3', '4'])
})

test('moved clock: a delivery to a server that keeps silent times out', async () => {
  const id = await send('timeout@other.test', 'silent')
  await eventually('the delivery', async () => (await readRow(id)).state === 'attempting')
  await move('+1m')
  await attempted(id, 1)
  assert.match((await readRow(id)).results[0]?.error ?? '', /timed out/)
})
