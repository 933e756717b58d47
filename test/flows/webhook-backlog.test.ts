import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answersPerSecond, type Load, queueCalls } from '../../scripts/bench/webhook-drain/drain.ts'
import { openReceivers, type Receivers } from '../../scripts/bench/webhook-drain/receiver.ts'
import { eventually } from '../../scripts/eventually.ts'
import { formatHint } from '../../shared/attempts/hint-channel.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import { callHint, LONGEST_HINT_WAIT_MS } from '../../shared/webhook/webhook-call.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

// What becomes of calls to applications that do not answer, and of everybody else's meanwhile.

async function open(context: { after(end: () => void): void }): Promise<Receivers> {
  const receivers = await openReceivers()
  context.after(() => receivers.close())
  return receivers
}

/** Twelve hang: more than there are pollers, and than environments for those who do not. */
const LOAD: Load = { calls: 120, urls: 60, hanging: 12 }
const ANSWERING = 96
const PIECES = 3
/**
 * `npm run bench:webhooks` wants 0.9 on a quiet machine. Here other tests share it, so that this only
 * tells right from wrong: who waited for one that hangs would wait for its timeout, ten times as long.
 */
const LEAST_RATIO = 0.2

test('URLs that hang delay nobody: the others get their calls as fast, one at a time and in order', async (context) => {
  const receivers = await open(context)
  const { local } = await testPostern(context, { faults: 'none' })
  const drain = async (): Promise<number> => {
    const { giveHints } = await queueCalls(local.cloud, receivers, LOAD, 'answering')
    const [rate] = await Promise.all([answersPerSecond(receivers, ANSWERING), giveHints()])
    return rate
  }
  const hang = async (): Promise<void> => {
    const one: Load = { ...LOAD, calls: LOAD.urls }
    const { giveHints } = await queueCalls(local.cloud, receivers, one, 'hanging')
    await giveHints()
    await eventually('they all hang', () => receivers.hanging() === LOAD.hanging, 60 * SECOND)
  }
  await drain()
  const ratios: number[] = []
  for (let piece = 0; piece < PIECES; piece++) {
    const alone = await drain()
    await hang()
    ratios.push((await drain()) / alone)
    assert.equal(receivers.hanging(), LOAD.hanging)
    receivers.release()
    await eventually('none hangs', () => receivers.hanging() === 0)
  }
  const [median = 0] = ratios.toSorted((a, b) => a - b).slice(Math.floor(PIECES / 2))
  assert.ok(median >= LEAST_RATIO, `as fast beside those that hang as alone: ${ratios}`)
  assert.equal(receivers.mostAtOnce(), 1)
  assert.equal(receivers.overtaken(), 0)
})

/** What SQS hands out after a hint has waited that long. */
function recordOf(postern: TestPostern, body: string, waitedMs: number) {
  const now = postern.local.cloud.clock.now()
  const attributes = {
    SentTimestamp: String(now - waitedMs),
    ApproximateFirstReceiveTimestamp: String(now),
    ApproximateReceiveCount: '1',
    SenderId: 'test',
  }
  return { messageId: 'm', receiptHandle: 'r', body, attributes, messageAttributes: {} }
}

test('calls whose hints waited too long are not lost: the sweep hints them, in order, and each is made once', async (context) => {
  const receivers = await open(context)
  const postern = await testPostern(context)
  const { cloud } = postern.local
  const { calls } = storesOf(postern.table, cloud.clock)
  const { added } = await queueCalls(cloud, receivers, { calls: 5, urls: 1, hanging: 0 }, 'all')
  for (const row of added) {
    const stale = recordOf(postern, formatHint(callHint(row)), LONGEST_HINT_WAIT_MS + 1)
    const answer = await cloud.invoke('WorkersWebhookFunction', { Records: [stale] })
    assert.deepEqual(answer, { batchItemFailures: [] }, 'the message goes')
    assert.deepEqual(await calls.read(row.account, row.id), row, 'the call stays')
  }
  assert.equal(receivers.answered(), 0)

  await eventually('all are in the index', async () => {
    const due = await calls.due('postern', cloud.clock.now(), 10)
    return due.length === added.length
  })
  await cloud.clock.advance(2 * MINUTE)
  await eventually('all are done', async () => {
    const rows = await Promise.all(added.map(({ account, id }) => calls.read(account, id)))
    return rows.every((row) => row?.state === 'done')
  })
  assert.deepEqual(
    [receivers.answered(), receivers.overtaken(), receivers.mostAtOnce()],
    [added.length, 0, 1],
  )
})
