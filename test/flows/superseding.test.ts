import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import type { QueuedCallJson, RetiredCallJson } from '../../shared/admin/call-json.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []
/** What the application answers to events of messages with that subject, once it answers. */
const answers = new Map<string, Promise<number>>()

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(
    context,
    async ({ json }) => await (answers.get(`${json.Subject}`) ?? 200),
  )
  await setWebhook(false)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

async function setWebhook(KeepEveryEvent: boolean): Promise<void> {
  await postern.admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: application.url, Authorization: '', Events: [], KeepEveryEvent },
  })
  await new Promise((resolve) => setTimeout(resolve, 5_000))
}

/** Sends what is delayed, and answers the call that says so. */
async function sendDelayed(Subject: string): Promise<{ readonly id: RowId; readonly first: number }> {
  const sent = await postern.call('Send', { To: [{ Address: 'c+451@slow.test' }], Subject, Text: 'x' })
  const [{ QueueMsgID: id } = assert.fail()] = sent.json.Submissions as { QueueMsgID: RowId }[]
  const call = await eventually('the first call', () => callsOf(id)[0])
  return { id, first: Number(call.headers['x-mox-webhook-id']) }
}

/** Another attempt now, which is delayed too. */
async function tryAgain(id: RowId): Promise<void> {
  const Filter = { IDs: [`postern/${id}`] }
  await eventually('the first outcome', async () => (await readRow(id))?.state === 'waiting')
  await postern.admin.post('/queue/actions', { Action: 'schedule', At: 'now', Filter })
  await eventually('the second attempt', async () => {
    const row = await readRow(id)
    return row?.state === 'waiting' && row.attempts === 2
  })
}

async function readRow(id: RowId) {
  return await storesOf(postern.table).queue.read('postern', id)
}

function callsOf(id: RowId) {
  return application.calls.filter(({ json }) => json.QueueMsgID === id)
}

async function retiredCall(id: number): Promise<RetiredCallJson> {
  return await eventually('the call is retired', async () => {
    const call = await postern.admin.get<RetiredCallJson>(`/webhooks/postern/${id}`)
    return 'Success' in call && call
  })
}

test('AT-55: a later event takes the place of one that waits: retired, not successful, with the ID of the later one', async () => {
  answers.set('waiting', Promise.resolve(500))
  const { id, first } = await sendDelayed('waiting')
  await tryAgain(id)
  const superseded = await retiredCall(first)
  const later = await eventually('the later call', () => callsOf(id)[1])
  assert.deepEqual(
    [superseded.Success, superseded.SupersededByID, superseded.Results.length],
    [false, Number(later.headers['x-mox-webhook-id']), 2],
  )
  assert.match(superseded.Results[1]?.Error ?? '', /superseded/)
  const queued = await postern.admin.get<QueuedCallJson[]>('/webhooks')
  assert.ok(!queued.some(({ ID }) => ID === first))
})

for (const [answer, success] of [
  [500, false],
  [200, true],
] as const) {
  test(`AT-75: superseded while it is made and answered ${answer}: recorded as ${success ? 'success' : 'failure'} and made no more`, async () => {
    const inFlight = Promise.withResolvers<number>()
    answers.set(`in flight ${answer}`, inFlight.promise)
    const { id, first } = await sendDelayed(`in flight ${answer}`)
    await tryAgain(id)
    inFlight.resolve(answer)
    const retired = await retiredCall(first)
    assert.deepEqual(
      [retired.Success, retired.SupersededByID > 0, retired.Results.length],
      [success, true, 1],
    )
    await eventually('the later call', () => callsOf(id).length === 2)
    assert.equal(callsOf(id).filter(({ headers }) => headers['x-mox-webhook-id'] === `${first}`).length, 1)
  })
}

test('an account that wants every event gets every one: the first waits on beside the second', async () => {
  await setWebhook(true)
  answers.set('kept', Promise.resolve(500))
  const { id, first } = await sendDelayed('kept')
  await tryAgain(id)
  await eventually('the second call', () => callsOf(id).length === 2)
  const call = await postern.admin.get<QueuedCallJson>(`/webhooks/postern/${first}`)
  assert.ok('NextAttempt' in call)
})
