import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { dynamoSesRateStore } from '../../../shared/adapters/aws/ses-rate-store.ts'
import { dynamoWebhookStore } from '../../../shared/adapters/aws/webhook-store.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { queuedMessageJson } from '../../../shared/admin/message-json.ts'
import { HOUR, MINUTE, SECOND } from '../../../shared/base/clock.ts'
import type { RowId } from '../../../shared/base/row-id.ts'
import { actOn } from '../../../shared/queue/act.ts'
import { attempt } from '../../../shared/queue/attempt.ts'
import { attemptHint, type QueuedMessage } from '../../../shared/queue/queued-message.ts'
import { submit } from '../../../shared/queue/submit.ts'
import type { DeliveryOutcome } from '../../../shared/queue/transport.ts'
import { readSesEvent } from '../../../shared/ses/ses-event.ts'
import { handed } from '../../../shared/ses/ses-outcome.ts'
import { sesTags } from '../../../shared/ses/ses-tags.ts'
import { takeSesEvent } from '../../../shared/ses/take-ses-event.ts'
import { openContract } from '../../contracts/dynamodb-contract.ts'
import { SES_ACCOUNT, sesFlowPorts } from '../../flows/ses-flow.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { sesEventText } from '../../support/ses-events.ts'

let contract: Awaited<ReturnType<typeof openContract>>
before(async () => {
  contract = await openContract()
})
after(() => contract.close())

const clock = fakeClock()
const random = seededRandom()

/** A message on its way through SES, with a worker, the events, and what is known of it. */
async function sendOne() {
  clock.advance(MINUTE)
  const table = { client: contract.client, name: contract.table, random }
  const ports = sesFlowPorts(table, clock)
  const calls = dynamoWebhookStore(table, clock)
  const recipient = `bob${clock.now()}@remote.example`
  const [row] = await submit(ports, {
    account: SES_ACCOUNT,
    mailFrom: parseAddress('ann@shop.example'),
    recipients: [parseAddress(recipient)],
    content: Buffer.from('From: ann@shop.example\r\nSubject: hi\r\n\r\nhi\r\n'),
    ...{
      messageId: `<${clock.now()}@shop.example>`,
      subject: 'hi',
      has8bit: false,
      smtputf8: false,
      extra: {},
    },
  })
  assert.ok(row)
  const { account, id } = row
  const read = async (): Promise<QueuedMessage> =>
    (await ports.queue.read(account, id)) ?? assert.fail('it is there')
  let events = 0
  const begunAt = clock.now()
  return {
    id,
    read,
    ports,
    /** A worker follows a hint; `undefined` is one that dies between claim and outcome. */
    work: async (outcome: DeliveryOutcome | undefined) => {
      const deliver = async () => {
        if (!outcome) throw new Error('killed')
        return [outcome]
      }
      const run = attempt({ ...ports, transport: { deliver } }, attemptHint(await read()))
      await (outcome ? run : assert.rejects(run, /killed/))
    },
    /** `again` repeats the event of the call before. */
    tell: async (type: string, told: object = {}, { attempt: of = 1, again = false } = {}) => {
      if (!again) events++
      const event = readSesEvent(
        sesEventText(type, sesTags({ account, id, attempt: of }), told, `event-${events}`),
      )
      assert.ok(!('problem' in event), JSON.stringify(event))
      await takeSesEvent(ports, event)
    },
    /** The events that the application is to hear, in their order. */
    heard: async () => {
      const due = await calls.due(account, clock.now() + HOUR, 1000)
      const own = due.filter(({ queueMsgId }) => queueMsgId === id)
      return own.sort((one, other) => one.id - other.id).map(({ event }) => event)
    },
    standing: async () => (await ports.suppressions.standings(account, [row.recipient]))[0],
    result: async (of = 1) =>
      (await read()).results.find((result) => result.attempt === of && !result.notification),
    begunAt,
  }
}

type Sent = Awaited<ReturnType<typeof sendOne>>

const accepted = handed('m-1')
const delivery = { delivery: { smtpResponse: '250 2.6.0 Message received' } }
const bounced = (feedbackId: string, bounceType = 'Permanent', code = '550 5.1.1') => ({
  bounce: {
    ...{ bounceType, bounceSubType: 'General', feedbackId },
    bouncedRecipients: [{ emailAddress: 'bob@remote.example', diagnosticCode: `smtp; ${code} no` }],
  },
})
const delay = {
  deliveryDelay: { delayType: 'General', delayedRecipients: [{ diagnosticCode: 'smtp; 421 later' }] },
}
const complaint = { complaint: { complaintFeedbackType: 'abuse', feedbackId: 'complaint-1' } }

/** How a message is after all of that; what is left out is not compared. */
interface After {
  readonly state: QueuedMessage['state'] | 'success' | 'failure'
  readonly heard: readonly string[]
  readonly status?: string
  readonly isSuppressed?: boolean
  readonly failures?: number
}

const stories: readonly (readonly [rule: string, story: (sent: Sent) => Promise<void>, after: After])[] = [
  [
    'acceptance is no event',
    async ({ work }) => work(accepted),
    { state: 'handed', heard: [], status: 'handed' },
  ],
  [
    'Delivery ends it well',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Delivery', delivery)
    },
    { state: 'success', heard: ['delivered'], status: 'success' },
  ],
  [
    'a doubled Delivery tells once',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Delivery', delivery)
      await tell('Delivery', delivery, { again: true })
      await tell('Delivery', delivery)
    },
    { state: 'success', heard: ['delivered'], failures: 0 },
  ],
  [
    'Delivery may come before the worker has written that SES has it',
    async ({ work, tell, ports, read }) => {
      const deliver = async () => {
        await tell('Delivery', delivery)
        return [accepted]
      }
      await attempt({ ...ports, transport: { deliver } }, attemptHint(await read()))
      await assert.rejects(work(undefined))
    },
    { state: 'success', heard: ['delivered'], status: 'success' },
  ],
  [
    'Send tells what a worker that died could not',
    async ({ work, tell }) => {
      await work(undefined)
      await tell('Send')
    },
    { state: 'handed', heard: [], status: 'handed' },
  ],
  [
    'Send after all is nothing',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Send')
      await tell('Delivery', delivery)
      await tell('Send')
    },
    { state: 'success', heard: ['delivered'] },
  ],
  [
    'SES may have what it said it has no time for: its word ends the wait',
    async ({ work, tell }) => {
      await work({
        kind: 'postponed',
        code: 0,
        enhancedCode: '',
        error: '500',
        reply: '',
        until: clock.now() + HOUR,
      })
      await tell('Delivery', delivery)
    },
    { state: 'success', heard: ['delivered'] },
  ],
  [
    'a permanent Bounce ends it badly and suppresses',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Bounce', bounced('f-1'))
    },
    { state: 'failure', heard: ['failed'], status: 'permanent', isSuppressed: true, failures: 1 },
  ],
  [
    'a transient Bounce ends it too, for SES has tried',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Bounce', bounced('f-1', 'Transient', '452 4.2.2'))
    },
    { state: 'failure', heard: ['failed'], isSuppressed: false, failures: 1 },
  ],
  [
    'a Bounce after Delivery takes success back, once',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Delivery', delivery)
      clock.advance(SECOND)
      await tell('Bounce', bounced('f-1'))
      await tell('Bounce', bounced('f-1'))
    },
    { state: 'failure', heard: ['delivered', 'failed'], isSuppressed: true, failures: 1 },
  ],
  [
    'Delivery after its Bounce changes nothing',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Bounce', bounced('f-1'))
      await tell('Delivery', delivery)
    },
    { state: 'failure', heard: ['failed'], failures: 1 },
  ],
  [
    'DeliveryDelay tells once for each, and the message stays with SES',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('DeliveryDelay', delay)
      await tell('DeliveryDelay', delay, { again: true })
      clock.advance(SECOND)
      await tell('DeliveryDelay', delay)
    },
    { state: 'handed', heard: ['delayed', 'delayed'], status: 'handed' },
  ],
  [
    'DeliveryDelay says that SES has it',
    async ({ work, tell }) => {
      await work(undefined)
      await tell('DeliveryDelay', delay)
    },
    { state: 'handed', heard: ['delayed'], status: 'handed' },
  ],
  [
    'what was delayed ends as its own attempt',
    async ({ work, tell }) => {
      await work(accepted)
      clock.advance(SECOND)
      await tell('DeliveryDelay', delay)
      await tell('Delivery', delivery)
    },
    { state: 'success', heard: ['delayed', 'delivered'], status: 'success' },
  ],
  [
    'a Complaint suppresses and tells, and the message stays delivered',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Delivery', delivery)
      clock.advance(SECOND)
      await tell('Complaint', complaint)
      await tell('Complaint', complaint)
    },
    { state: 'success', heard: ['delivered', 'unrecognized'], isSuppressed: true, failures: 0 },
  ],
  [
    'a Reject ends it badly and suppresses nobody',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Reject', { reject: { reason: 'Bad content' } })
    },
    { state: 'failure', heard: ['failed'], status: 'permanent', isSuppressed: false },
  ],
  [
    'so does a Rendering Failure',
    async ({ work, tell }) => {
      await work(accepted)
      await tell('Rendering Failure', { failure: { errorMessage: 'no' } })
    },
    { state: 'failure', heard: ['failed'], isSuppressed: false },
  ],
  [
    'what nobody tells of for 26 hours ends as relayed',
    async ({ work, read, ports }) => {
      await work(accepted)
      clock.advance(26 * HOUR - SECOND)
      await attempt({ ...ports, transport: { deliver: async () => [] } }, attemptHint(await read()))
      assert.equal((await read()).state, 'handed')
      clock.advance(SECOND)
      await attempt({ ...ports, transport: { deliver: async () => [] } }, attemptHint(await read()))
    },
    { state: 'success', heard: ['relayed'], status: 'success' },
  ],
  [
    'Delivery after that is told still',
    async ({ work, read, ports, tell }) => {
      await work(accepted)
      clock.advance(26 * HOUR)
      await attempt({ ...ports, transport: { deliver: async () => [] } }, attemptHint(await read()))
      clock.advance(SECOND)
      await tell('Delivery', delivery)
    },
    { state: 'success', heard: ['relayed', 'delivered'] },
  ],
  [
    'what a dead worker left is attempted again, when SES has told nothing for half an hour',
    async ({ work, read, ports }) => {
      await work(undefined)
      clock.advance(29 * MINUTE)
      assert.equal(queuedMessageJson(await read(), clock.now()).State, 'unknown')
      await attempt({ ...ports, transport: { deliver: async () => [accepted] } }, attemptHint(await read()))
      assert.equal((await read()).attempts, 1)
      clock.advance(4 * MINUTE)
      await work(accepted)
      assert.equal((await read()).attempts, 2)
    },
    { state: 'handed', heard: [], status: 'interrupted' },
  ],
  [
    'an event of the attempt before is kept as its late result',
    async ({ work, tell }) => {
      await work(undefined)
      clock.advance(33 * MINUTE)
      await work(accepted)
      await tell('Delivery', delivery)
    },
    { state: 'handed', heard: [], status: 'success' },
  ],
  [
    'a call of which nobody knows how it ended keeps its claim',
    async ({ work }) => work({ kind: 'unknown', code: 0, enhancedCode: '', error: 'broke off', reply: '' }),
    { state: 'attempting', heard: [], status: 'running' },
  ],
  [
    'what SES has no time for waits, and is no attempt',
    async ({ work, read }) => {
      await work({
        kind: 'postponed',
        code: 0,
        enhancedCode: '',
        error: 'throttled',
        reply: '',
        until: clock.now() + MINUTE,
      })
      assert.equal(queuedMessageJson(await read(), clock.now()).Attempts, 0)
    },
    { state: 'waiting', heard: [], status: 'postponed' },
  ],
]

for (const [rule, story, expected] of stories) {
  test(`SES: ${rule}`, async () => {
    const sent = await sendOne()
    await story(sent)
    const row = await sent.read()
    const standing = await sent.standing()
    const found: After = {
      state: row.state !== 'done' ? row.state : row.retired?.success ? 'success' : 'failure',
      heard: await sent.heard(),
      status: (await sent.result())?.status ?? 'none',
      isSuppressed: standing?.suppression !== undefined,
      failures: standing?.failuresInARow ?? 0,
    }
    assert.deepEqual({ ...found, ...expected }, found)
  })
}

for (const action of [{ kind: 'hold', reason: 'x' }, { kind: 'drop' }, { kind: 'fail' }] as const) {
  test(`SES: an operator cannot ${action.kind} what SES has`, async () => {
    const { work, ports, id } = await sendOne()
    await work(accepted)
    const result = await actOn(ports, { account: SES_ACCOUNT, id }, action, 1 as RowId, () => true)
    assert.equal(result, 'attempting')
  })
}

test('SES: a hold that came too late ends when SES has the message', async () => {
  const { work, ports, id, read } = await sendOne()
  const deliver = async () => {
    const hold = { kind: 'hold', reason: 'x' } as const
    assert.equal(await actOn(ports, { account: SES_ACCOUNT, id }, hold, 2 as RowId, () => true), 'changed')
    return [accepted]
  }
  await attempt({ ...ports, transport: { deliver } }, attemptHint(await read()))
  assert.equal((await read()).hold, undefined)
  assert.ok((await ports.queue.due(SES_ACCOUNT, clock.now() + 27 * HOUR, 1000)).some((row) => row.id === id))
  await assert.rejects(work(undefined))
})

test('SES: a message that is put off is hinted once, however many hints find it', async () => {
  const { ports, read } = await sendOne()
  const hints: number[] = []
  const later = {
    ...ports,
    transport: { deliver: async () => assert.fail('it is put off') },
    pacing: { admit: async () => ({ kind: 'later', at: clock.now() + MINUTE }) as const },
    deliveries: {
      ...ports.deliveries,
      send: async (sent: readonly { delayMs?: number }[]) =>
        void hints.push(...sent.map(({ delayMs = 0 }) => delayMs)),
    },
  }
  await attempt(later, attemptHint(await read()))
  clock.advance(SECOND)
  await attempt(later, attemptHint(await read()))
  assert.deepEqual(hints, [MINUTE])
  assert.equal((await read()).attempts, 0)
  clock.advance(MINUTE)
  await attempt(later, attemptHint(await read()))
  assert.deepEqual(hints, [MINUTE, MINUTE])
})

test('SES: a message that may have gone twice is in the log, and so is one that may have gone', async () => {
  const { ports, read, work, id } = await sendOne()
  const lines: string[] = []
  const log = {
    ...ports.log,
    warn: (event: string, fields = {}) => void lines.push(`${event} ${JSON.stringify(fields)}`),
  }
  await work(undefined)
  clock.advance(33 * MINUTE)
  const unknown = { kind: 'unknown', code: 0, enhancedCode: '', error: 'ECONNRESET', reply: '' } as const
  await attempt({ ...ports, log, transport: { deliver: async () => [unknown] } }, attemptHint(await read()))
  assert.deepEqual(lines, [
    `possible duplicate {"account":"shop.eu","id":${id},"attempt":2}`,
    `it is unknown whether a message was taken {"account":"shop.eu","id":${id},"error":"ECONNRESET"}`,
  ])
})

test('SES: an event about nothing that is known is no error', async () => {
  const { tell, read } = await sendOne()
  await tell('Delivery', delivery, { attempt: 7 })
  assert.equal((await read()).state, 'waiting')
})

test('the turns of SES: several processes share one item', async () => {
  const table = { client: contract.client, name: contract.table, random }
  const stores = [1, 2, 3, 4].map(() => dynamoSesRateStore(table))
  const from = clock.now()
  const ends = await Promise.all(
    stores.flatMap((store) => [1, 2, 3].map(() => store.advance('turnAt', from, 50.5))),
  )
  const expected = ends.map((_, place) => from + (place + 1) * 50.5)
  assert.deepEqual(
    ends.toSorted((one, other) => one - other),
    expected,
  )
  const [store] = stores
  assert.ok(store)
  await store.pause(from + HOUR)
  await store.pause(from)
  assert.equal((await store.read()).turnAt, from + HOUR)
  await store.keepQuota({ maySend: true, maxSendRate: 2.5, max24HourSend: -1, sentLast24Hours: 0 }, from)
  await store.keepQuota({ maySend: false, maxSendRate: 0, max24HourSend: 0, sentLast24Hours: 0 }, from - 1)
  assert.deepEqual((await store.read()).quota, {
    ...{ maySend: true, maxSendRate: 2.5, max24HourSend: -1, sentLast24Hours: 0 },
    readAt: from,
  })
})
