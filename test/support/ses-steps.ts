import assert from 'node:assert/strict'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { sesTags } from '../../shared/ses/ses-tags.ts'
import type { Installation, Outside, Step } from './integration-steps.ts'
import { sesEventText } from './ses-events.ts'
import { readCall, type SentOne, sendOne, waitingCall } from './webapi-steps.ts'

/** Comes first: functions may work with options that are five seconds old. */
export const setSesRoutes: Step = {
  name: 'a route leads through SES, and one leaves it later',
  run: setRoutes,
}

/** What is sent through SES, and what SES tells of it. */
export const sesSteps: readonly Step[] = [
  { name: 'SES: delivered, bounced, and suppressed from then on', run: send },
  { name: 'SES: a late bounce supersedes the event of the delivery', run: bounceLate },
  { name: 'SES: a bounce of a message whose next attempt would be direct', run: bounceInLane },
]

/** SES knows no identity localhost. */
const sender = 'sender@sending.test'

async function setRoutes({ admin }: Installation): Promise<void> {
  await admin.put('/domains/sending.test', { LocalpartCatchallSeparators: ['+'] })
  await admin.put(`/addresses/${sender}`, { Account: localSeed.account })
  await admin.put('/transports/ses', { Kind: 'ses' })
  const routes = await admin.get<object[]>('/routes')
  await admin.put('/routes', [
    { ToDomain: ['left.test'], MinimumAttempts: 1, Transport: 'mx' },
    { ToDomain: ['ses.test', 'left.test'], Transport: 'ses' },
    ...routes,
  ])
}

async function send(postern: Installation, { application }: Outside): Promise<void> {
  const { ses } = postern.cloud
  const eventAbout = async (address: string) => {
    const { QueueMsgID: id } = await sendOne(postern, address, 'through SES', sender)
    const { json } = await eventually(`an event of the message to ${address}`, () =>
      application.calls.find((call) => call.path === '/out' && call.json.QueueMsgID === id),
    )
    return [json.Event, json.Suppressing]
  }
  assert.deepEqual(await eventAbout('delivered@ses.test'), ['delivered', false])
  assert.deepEqual(await eventAbout('bounced-550@ses.test'), ['failed', true])
  const accepted = ses.accepted().length
  assert.deepEqual(await eventAbout('bounced-550@ses.test'), ['suppressed', false])
  assert.equal(ses.accepted().length, accepted)
}

/** The application refuses the first call of each event, which waits then. */
async function bounceLate(postern: Installation): Promise<void> {
  const sent = await sendOne(postern, 'late@ses.test', 'flaky', sender)
  const delivered = await waitingCall(postern, sent)
  await tellBounce(postern, sent)
  assert.equal((await sent.row())?.retired?.success, false)
  assert.ok((await readCall(postern, delivered))?.supersededBy)
}

/** Who hears of the bounce owes a notice, and leaves it to whoever would attempt the message next. */
async function bounceInLane(postern: Installation): Promise<void> {
  postern.cloud.ses.set({ eventsLost: 1 })
  const sent = await sendOne(postern, 'handed@left.test', 'left', sender)
  await eventually('SES has it', async () => (await sent.row())?.state === 'handed')
  postern.cloud.ses.set({ eventsLost: 0 })
  await tellBounce(postern, sent)
  await eventually('the notice is given', async () => {
    const row = await sent.row()
    return row?.state === 'done' && row.owed === undefined
  })
}

/** As EventBridge would, through the queue. */
async function tellBounce({ cloud }: Installation, { QueueMsgID: id }: SentOne): Promise<void> {
  const tags = sesTags({ account: localSeed.account, id, attempt: 1 })
  const bouncedRecipients = [{ status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 no such mailbox' }]
  const bounce = { bounceType: 'Permanent', bouncedRecipients, feedbackId: String(id) }
  const record = { messageId: String(id), body: sesEventText('Bounce', tags, { bounce }) }
  const answer = await cloud.invoke('WorkersSesEventsHandlerFunction', { Records: [record] })
  assert.deepEqual(answer, { batchItemFailures: [] })
}
