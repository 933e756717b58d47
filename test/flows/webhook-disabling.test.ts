import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoDisablingStore } from '../../shared/adapters/aws/disabling-store.ts'
import { dynamoFailingStore } from '../../shared/adapters/aws/failing-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import type { AccountDetailsJson } from '../../shared/admin/accounts.ts'
import type { QueuedCallJson } from '../../shared/admin/call-json.ts'
import type { MailJson } from '../../shared/admin/mails.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { disableFailing } from '../../shared/disabling/disable-failing.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// A webhook that has done nothing but fail for days is disabled, and its account is told by mail.

let postern: TestPostern
let application: WebhookReceiver
let status = 500
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context, () => status)
  const OutgoingWebhook = { URL: `${application.url}/out`, DisableAfterDays: 1 }
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook })
  await known()
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('a webhook whose failures were interrupted by a success stays enabled', async () => {
  for (const [answer, subject, pauseMs] of [
    [410, 'refused', SECOND],
    [200, 'taken', DAY],
    [410, 'refused a day later', 2 * MINUTE],
  ] as const) {
    status = answer
    await attempted(await send(subject), 1)
    await advance(pauseMs)
  }
  assert.equal((await outgoing())?.DisabledAt, null)
})

test('a webhook that fails for its days is disabled with one notice: new events queue no calls, those that wait are made', async () => {
  status = 500
  await attempted(await send('first'), 1)
  await advance(20 * HOUR)
  const waiting = await send('waiting')
  await attempted(waiting, 1)
  assert.equal((await outgoing())?.DisabledAt, null)
  await advance(5 * HOUR)
  await attempted(waiting, 2)
  await advance(2 * MINUTE)
  await eventually('it is disabled', async () => (await outgoing())?.DisabledAt)
  await known()

  const [notice = assert.fail('no notice'), ...more] = await notices()
  assert.deepEqual(more, [])
  const { json } = await postern.call('MessageGet', { MsgID: notice.MsgID })
  const { Text, From } = json.Message as { Text: string; From: object[] }
  assert.deepEqual(From, [{ Name: '', Address: 'postmaster@localhost' }])
  assert.ok(Text.includes(`    ${application.url}/out\n`))
  assert.match(Text, /the receiver answered HTTP status 500/)
  assert.match(Text, /postern account update postern --outgoing-webhook-enable/)

  const untold = await send('untold')
  await eventually('it is delivered', async () => {
    const row = await storesOf(postern.table).queue.read('postern', untold)
    return row?.state === 'done'
  })
  const queued = await postern.admin.get<QueuedCallJson[]>('/webhooks')
  assert.ok(queued.some(({ QueueMsgID }) => QueueMsgID === waiting))
  assert.ok(!queued.some(({ QueueMsgID }) => QueueMsgID === untold))
  status = 200
  const before = callsAbout(waiting).length
  await advance(16 * HOUR)
  await attempted(waiting, before + 1)
  assert.deepEqual(callsAbout(untold), [])
})

test('a webhook that is enabled tells again, and what failed before no longer counts', async () => {
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook: { DisabledAt: null } })
  await known()
  await attempted(await send('told again'), 1)
  status = 500
  await attempted(await send('refused again'), 1)
  await advance(2 * MINUTE)
  assert.equal((await outgoing())?.DisabledAt, null)
  assert.equal((await notices()).length, 1)
})

test('whoever disables a webhook at the same time as others writes one notice with them', async () => {
  const url = `${application.url}/in`
  await postern.admin.patch('/accounts/postern', { IncomingWebhook: { URL: url, DisableAfterDays: 2 } })
  const { clock } = postern.local.cloud
  const { table } = postern
  const now = clock.now()
  const failing = dynamoFailingStore(table, clock)
  const webhook = { account: 'postern', direction: 'incoming', url } as const
  await failing.note(webhook, undefined, { since: now - 2 * DAY, lastAt: now, error: 'refused' })
  const options = dynamoOptionsStore(table, clock)
  const disabling = dynamoDisablingStore(table, options, clock)
  const objects = () => Promise.reject(new Error('a notice needs no object'))
  const content = awsContentStore({ table, objects, clock })
  const looks = Array.from({ length: 4 }, () =>
    disableFailing({ options, failing, content, disabling, clock, random }),
  )
  await Promise.all([...looks, postern.local.cloud.invoke('WorkersSweepFunction', {})])
  const { IncomingWebhook } = await postern.admin.get<AccountDetailsJson>('/accounts/postern')
  assert.notEqual(IncomingWebhook?.DisabledAt, null)
  assert.equal((await notices('incoming')).length, 1)
})

async function advance(milliseconds: number): Promise<void> {
  await postern.local.cloud.clock.advance(milliseconds)
}

/** Beyond what a running function remembers of the options. */
async function known(): Promise<void> {
  await advance(10 * SECOND)
}

async function send(Subject: string): Promise<RowId> {
  const sent = await postern.call('Send', { To: [{ Address: 'ann@other.test' }], Subject, Text: 'x' })
  assert.equal(sent.status, 200, JSON.stringify(sent.json))
  const [submission] = sent.json.Submissions as { QueueMsgID: RowId }[]
  return submission?.QueueMsgID ?? assert.fail('no submission')
}

function callsAbout(id: RowId): readonly RowId[] {
  return application.calls.flatMap(({ headers, json }) =>
    json.QueueMsgID === id ? [Number(headers['x-mox-webhook-id']) as RowId] : [],
  )
}

/** Until the outcome of so many attempts is noted. */
async function attempted(id: RowId, count: number): Promise<void> {
  await eventually(`call ${count} about ${id}`, async () => {
    const made = callsAbout(id)
    const call = made[0] && (await storesOf(postern.table).calls.read('postern', made[0]))
    return made.length >= count && call && call.state !== 'attempting'
  })
}

async function outgoing(): Promise<AccountDetailsJson['OutgoingWebhook']> {
  return (await postern.admin.get<AccountDetailsJson>('/accounts/postern')).OutgoingWebhook
}

async function notices(direction = 'outgoing'): Promise<readonly MailJson[]> {
  const mails = await postern.admin.get<MailJson[]>('/mail')
  return mails.filter(({ Subject }) => Subject === `${direction} webhook disabled`)
}
