import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { createQueue, startFaultyClouds } from './faulty-cloud.ts'

let clouds: Awaited<ReturnType<typeof startFaultyClouds>>
before(async () => {
  clouds = await startFaultyClouds()
})
after(() => clouds.close())

const queueName = () => `faults-${randomUUID()}`
const fifo = { FifoQueue: 'true', ContentBasedDeduplication: 'true' }

const send = (client: SQSClient, QueueUrl: string, MessageBody: string, rest = {}) =>
  client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...rest }))

const sendBatch = (client: SQSClient, QueueUrl: string, bodies: readonly string[], rest = {}) =>
  client.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: bodies.map((MessageBody, place) => ({ Id: String(place), MessageBody, ...rest })),
    }),
  )

/** What is visible now, sorted; nothing is received twice, because the clock does not reach its visibility again. */
async function bodies(client: SQSClient, QueueUrl: string): Promise<readonly string[]> {
  const found: string[] = []
  for (;;) {
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 43_200,
    })
    const { Messages = [] } = await client.send(command)
    if (Messages.length === 0) return found.toSorted()
    found.push(...Messages.map(({ Body = '' }) => Body))
  }
}

test('duplicates: a message comes a second time, later', async (t) => {
  const { roleSqs, clock } = await clouds.open(t, { seed: 1, sqsDuplicates: 1 })
  const queue = await createQueue(roleSqs, queueName())
  await send(roleSqs, queue, 'once')
  assert.deepEqual(await bodies(roleSqs, queue), ['once'])
  clock.nowMs += 1_000
  assert.deepEqual(await bodies(roleSqs, queue), ['once'])
  clock.nowMs += 3_600_000
  assert.deepEqual(await bodies(roleSqs, queue), [])
})

test('duplicates: a delayed message comes a second time after its delay', async (t) => {
  const { roleSqs, clock } = await clouds.open(t, { seed: 1, sqsDuplicates: 1 })
  const queue = await createQueue(roleSqs, queueName())
  await send(roleSqs, queue, 'late', { DelaySeconds: 5 })
  const seen: number[] = []
  for (let second = 0; second < 8; second++) {
    seen.push((await bodies(roleSqs, queue)).length)
    clock.nowMs += 1_000
  }
  assert.deepEqual(seen, [0, 0, 0, 0, 0, 1, 1, 0])
})

test('duplicates: of a batch the share comes a second time', async (t) => {
  const { roleSqs, clock } = await clouds.open(t, { seed: 1, sqsDuplicates: 0.5 })
  const queue = await createQueue(roleSqs, queueName())
  const sent = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
  await sendBatch(roleSqs, queue, sent)
  assert.deepEqual(await bodies(roleSqs, queue), sent)
  clock.nowMs += 1_000
  const again = await bodies(roleSqs, queue)
  assert.ok(again.length > 0 && again.length < 10, `${again.length} of 10`)
})

test('duplicates: a refused entry of a batch does not come at all', async (t) => {
  const { roleSqs, clock } = await clouds.open(t, { seed: 1, sqsDuplicates: 1 })
  const queue = await createQueue(roleSqs, queueName())
  const { Failed } = await sendBatch(roleSqs, queue, ['fine', 'not \u0000 allowed'])
  assert.equal(Failed?.length, 1)
  clock.nowMs += 1_000
  assert.deepEqual(await bodies(roleSqs, queue), ['fine', 'fine'])
})

test('late: messages come within the time given, not all at once', async (t) => {
  const { roleSqs, clock } = await clouds.open(t, { seed: 1, sqsLateMs: 2_000 })
  const queue = await createQueue(roleSqs, queueName())
  for (let n = 0; n < 20; n++) await send(roleSqs, queue, String(n))
  const seen: number[] = []
  for (let second = 0; second <= 3; second++) {
    seen.push((await bodies(roleSqs, queue)).length)
    clock.nowMs += 1_000
  }
  assert.equal(
    seen.slice(0, 3).reduce((sum, count) => sum + count, 0),
    20,
  )
  assert.ok(
    seen.slice(0, 3).every((count) => count > 0),
    String(seen),
  )
})

test("late: the extra delay comes on top of the queue's own and of the message's", async (t) => {
  const { roleSqs, clock } = await clouds.open(t, { seed: 1, sqsLateMs: 2_000 })
  const queue = await createQueue(roleSqs, queueName(), { DelaySeconds: '3' })
  await sendBatch(roleSqs, queue, ['1', '2', '3', '4', '5'])
  await sendBatch(roleSqs, queue, ['1', '2', '3', '4', '5'], { DelaySeconds: 3 })
  clock.nowMs += 2_999
  assert.deepEqual(await bodies(roleSqs, queue), [])
  clock.nowMs += 2_001
  assert.equal((await bodies(roleSqs, queue)).length, 10)
})

test('late: a delay beyond what SQS takes is refused as ever', async (t) => {
  const { roleSqs } = await clouds.open(t, { seed: 1, sqsLateMs: 60_000 })
  const queue = await createQueue(roleSqs, queueName())
  await send(roleSqs, queue, 'x', { DelaySeconds: 900 })
  await assert.rejects(send(roleSqs, queue, 'x', { DelaySeconds: 901 }), /DelaySeconds/)
})

test('queues: a FIFO queue delivers at once, and once', async (t) => {
  const { roleSqs, clock } = await clouds.open(t, { seed: 1, sqsDuplicates: 1, sqsLateMs: 60_000 })
  const queue = await createQueue(roleSqs, `${queueName()}.fifo`, fifo)
  await send(roleSqs, queue, '1', { MessageGroupId: 'a' })
  await sendBatch(roleSqs, queue, ['2', '3'], { MessageGroupId: 'b' })
  assert.deepEqual(await bodies(roleSqs, queue), ['1', '2', '3'])
  clock.nowMs += 3_600_000
  assert.deepEqual(await bodies(roleSqs, queue), [])
})

test("queues: the operator's messages come at once, and once", async (t) => {
  const { operatorSqs, clock } = await clouds.open(t, { seed: 1, sqsDuplicates: 1, sqsLateMs: 60_000 })
  const queue = await createQueue(operatorSqs, queueName())
  await send(operatorSqs, queue, '1')
  assert.deepEqual(await bodies(operatorSqs, queue), ['1'])
  clock.nowMs += 3_600_000
  assert.deepEqual(await bodies(operatorSqs, queue), [])
})

for (const options of [{ sqsDuplicates: 0.5 }, { sqsLateMs: 5_000 }]) {
  test(`${Object.keys(options)}: the same seed gives the same sequence, another seed another`, async (t) => {
    const arrivals = async (seed: number) => {
      const { roleSqs, clock } = await clouds.open(t, { seed, ...options })
      const queue = await createQueue(roleSqs, queueName())
      for (let n = 0; n < 12; n++) await send(roleSqs, queue, String(n))
      const seen: string[] = []
      for (let second = 0; second < 7; second++) {
        seen.push((await bodies(roleSqs, queue)).join())
        clock.nowMs += 1_000
      }
      return seen
    }
    const [first, again, other] = [await arrivals(7), await arrivals(7), await arrivals(8)]
    assert.deepEqual(again, first)
    assert.notDeepEqual(other, first)
  })
}
