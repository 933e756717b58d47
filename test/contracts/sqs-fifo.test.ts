import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { SendMessageBatchCommand, type SendMessageCommandInput } from '@aws-sdk/client-sqs'
import { FIFO, openContract } from './sqs-contract.ts'

const sqs = await openContract()
const { createQueue, createPair, send, receive, receiveOne, bodiesOf, remove, setVisibility } = sqs
after(sqs.close)

describe('SQS contract: FIFO queues', { concurrency: true }, () => {
  test('a poison message does not hide the one behind it', async (t) => {
    const { source } = await createPair(t, 1, FIFO)
    await send(source, 'poison', { MessageGroupId: 'g' })
    await send(source, 'next', { MessageGroupId: 'g' })
    const { ReceiptHandle } = await receiveOne(source)
    await setVisibility(source, ReceiptHandle, 0)
    assert.deepEqual(await bodiesOf(source, { MaxNumberOfMessages: 1 }), ['next'])
  })

  test('one receive may take several messages of a group, in order', async (t) => {
    const queue = await createQueue(t, FIFO)
    for (const body of ['1', '2', '3']) await send(queue, body, { MessageGroupId: 'g' })
    const received = await receive(queue, { MessageSystemAttributeNames: ['All'] })
    assert.deepEqual(
      received.map((message) => message.Body),
      ['1', '2', '3'],
    )
    const numbers = received.map((message) => BigInt(message.Attributes?.SequenceNumber ?? ''))
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => (a < b ? -1 : 1)),
    )
    assert.equal(received[0]?.Attributes?.MessageGroupId, 'g')
    assert.match(received[0]?.Attributes?.MessageDeduplicationId ?? '', /^[0-9a-f]{64}$/)
  })

  test('a group with a message in flight gives nothing more, other groups do', async (t) => {
    const queue = await createQueue(t, FIFO)
    await send(queue, 'a1', { MessageGroupId: 'a' })
    await send(queue, 'a2', { MessageGroupId: 'a' })
    await send(queue, 'b1', { MessageGroupId: 'b' })
    const { ReceiptHandle } = await receiveOne(queue)
    assert.deepEqual(await bodiesOf(queue), ['b1'])
    const polled = bodiesOf(queue, { WaitTimeSeconds: 5 })
    await remove(queue, ReceiptHandle)
    assert.deepEqual(await polled, ['a2'])
  })

  test('groups in flight hide no other, also where a thousand of their messages come first', async (t) => {
    const queue = await createQueue(t, FIFO)
    const blocked = (place: number) => ({
      ...{ Id: String(place % 10), MessageBody: `blocked ${place}`, MessageGroupId: `g${place % 10}` },
    })
    for (let batch = 0; batch < 100; batch++) {
      const Entries = Array.from({ length: 10 }, (_, place) => blocked(batch * 10 + place))
      await sqs.client.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }))
    }
    for (let group = 0; group < 10; group++) {
      assert.match((await receiveOne(queue)).Body ?? '', new RegExp(`^blocked ${group}$`))
    }
    await send(queue, 'free', { MessageGroupId: 'other' })
    assert.deepEqual(await bodiesOf(queue), ['free'])
  })

  test('a group waits for all its messages in flight, also for later ones', async (t) => {
    const queue = await createQueue(t, FIFO)
    await send(queue, '1', { MessageGroupId: 'g' })
    await send(queue, '2', { MessageGroupId: 'g' })
    const [first, second] = await receive(queue)
    await setVisibility(queue, first?.ReceiptHandle ?? '', 0)
    assert.deepEqual(await bodiesOf(queue), [])
    await setVisibility(queue, second?.ReceiptHandle ?? '', 0)
    assert.deepEqual(await bodiesOf(queue), ['1', '2'])
  })

  test('a group goes on in order once the message in flight is visible again', async (t) => {
    const queue = await createQueue(t, { ...FIFO, VisibilityTimeout: '1' })
    await send(queue, '1', { MessageGroupId: 'g' })
    await send(queue, '2', { MessageGroupId: 'g' })
    await receiveOne(queue)
    assert.deepEqual(await bodiesOf(queue, { WaitTimeSeconds: 5 }), ['1', '2'])
  })

  test('an expired receipt handle no longer deletes', async (t) => {
    const queue = await createQueue(t, FIFO)
    await send(queue, 'x', { MessageGroupId: 'g' })
    const { ReceiptHandle } = await receiveOne(queue)
    await setVisibility(queue, ReceiptHandle, 0)
    await assert.rejects(remove(queue, ReceiptHandle), { name: 'InvalidParameterValue' })
    assert.deepEqual(await bodiesOf(queue), ['x'])
  })

  const refusedFifo: readonly [string, Partial<SendMessageCommandInput>, string][] = [
    ['no MessageGroupId', { MessageDeduplicationId: 'd' }, 'MissingParameter'],
    ['neither deduplication id nor content-based ids', { MessageGroupId: 'g' }, 'InvalidParameterValue'],
    [
      'a delay of one message',
      { MessageGroupId: 'g', MessageDeduplicationId: 'd', DelaySeconds: 1 },
      'InvalidParameterValue',
    ],
  ]
  for (const [what, input, name] of refusedFifo) {
    test(`SendMessage refuses ${what}`, async (t) => {
      const queue = await createQueue(t, { FifoQueue: 'true' })
      await assert.rejects(send(queue, 'x', input), { name })
    })
  }

  test('a message sent again is acknowledged as the first and delivered once', async (t) => {
    const queue = await createQueue(t, { FifoQueue: 'true' })
    const ids = { MessageGroupId: 'g', MessageDeduplicationId: 'd' }
    const first = await send(queue, 'one', ids)
    const again = await send(queue, 'two', ids)
    assert.equal(again.MessageId, first.MessageId)
    assert.equal(again.SequenceNumber, first.SequenceNumber)
    assert.deepEqual(await bodiesOf(queue), ['one'])
  })

  test('deduplication by group lets two groups use one id', async (t) => {
    const queue = await createQueue(t, { ...FIFO, DeduplicationScope: 'messageGroup' })
    await send(queue, 'x', { MessageGroupId: 'a' })
    await send(queue, 'x', { MessageGroupId: 'b' })
    assert.deepEqual(await bodiesOf(queue), ['x', 'x'])
  })
})
