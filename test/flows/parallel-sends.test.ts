import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { webhookReceiver } from '../support/webhook-receiver.ts'

const SENDS = 500
const IN_FLIGHT = 20

/** How AWS may be on a bad day. */
const faults = {
  transactionConflicts: 0.05,
  throttling: 0.01,
  indexLagMs: 2_000,
  staleReads: 0.05,
  sqsDuplicates: 0.05,
  sqsLateMs: 500,
}

test(`${SENDS} Sends, ${IN_FLIGHT} at a time, with faults: a mail and a delivered call for each, none twice`, async (context) => {
  const postern = await testPostern(context, { faults })
  const application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook: { URL: `${application.url}/out` } })
  // A running function may work with options that are five seconds old.
  await sleep(5_000)

  const began = performance.now()
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
  const sent = await sendAll(postern)
  context.diagnostic(`accepted within ${seconds()} s`)
  // Normally half a minute; the limit only ends a test that hangs.
  await eventually('a call for each', () => application.calls.length >= SENDS, 180_000)
  context.diagnostic(`told within ${seconds()} s`)
  // A doubled hint comes up to three seconds late.
  await sleep(4_000)

  const mails = await postern.admin.get<{ MessageID: string }[]>('/mail?limit=1000')
  const events = application.calls.map(({ json }) => json)
  assert.deepEqual([mails.length, events.length], [SENDS, SENDS])
  assert.deepEqual(
    new Set(mails.map(({ MessageID }) => MessageID)),
    new Set(sent.map(({ messageId }) => messageId)),
  )
  assert.deepEqual(
    new Set(events.map(({ Event, QueueMsgID }) => `${Event} ${QueueMsgID}`)),
    new Set(sent.map(({ queueMsgId }) => `delivered ${queueMsgId}`)),
  )
  assert.deepEqual(await postern.admin.get('/queue'), [])
})

interface Sent {
  readonly messageId: string
  readonly queueMsgId: number
}

async function sendAll(postern: TestPostern): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  let next = 0
  const client = async () => {
    while (next < SENDS) {
      const place = next++
      const { status, json } = await postern.call('Send', {
        To: [{ Address: `user-${place}-x@domain-${place % 20}.test` }],
        Subject: `${place}`,
        Text: 'x',
      })
      assert.equal(status, 200, JSON.stringify(json))
      const [submission] = json.Submissions as { QueueMsgID: number }[]
      sent.push({ messageId: String(json.MessageID), queueMsgId: submission?.QueueMsgID ?? 0 })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, client))
  assert.equal(new Set(sent.map(({ queueMsgId }) => queueMsgId)).size, SENDS)
  return sent
}
