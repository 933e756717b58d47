import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ChangeMessageVisibilityBatchCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  QueueDoesNotExist,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from '@aws-sdk/client-sqs'
import { FIFO, openContract, type QueueAttributes } from './sqs-contract.ts'

const sqs = await openContract()
const {
  client,
  uniqueName,
  createQueue,
  createPair,
  send,
  receive,
  receiveOne,
  bodiesOf,
  remove,
  setVisibility,
  attributesOf,
  countsOf,
} = sqs
after(sqs.close)

describe('SQS contract', { concurrency: true }, () => {
  test('a queue is found by its name and is gone once deleted', async () => {
    const QueueName = uniqueName()
    const { QueueUrl: queue = '' } = await client.send(new CreateQueueCommand({ QueueName }))
    assert.equal((await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl, queue)
    await client.send(new DeleteQueueCommand({ QueueUrl: queue }))
    await assert.rejects(client.send(new GetQueueUrlCommand({ QueueName })), QueueDoesNotExist)
    await assert.rejects(send(queue, 'x'), QueueDoesNotExist)
  })

  test('ListQueues selects by prefix and pages by MaxResults', async (t) => {
    const QueueNamePrefix = uniqueName()
    for (const suffix of ['a', 'b', 'c']) {
      const created = await client.send(new CreateQueueCommand({ QueueName: `${QueueNamePrefix}-${suffix}` }))
      t.after(() => client.send(new DeleteQueueCommand({ QueueUrl: created.QueueUrl })))
    }
    const first = await client.send(new ListQueuesCommand({ QueueNamePrefix, MaxResults: 2 }))
    const rest = await client.send(
      new ListQueuesCommand({ QueueNamePrefix, MaxResults: 2, NextToken: first.NextToken }),
    )
    const urls = [...(first.QueueUrls ?? []), ...(rest.QueueUrls ?? [])]
    assert.deepEqual(
      urls.map((url) => url.slice(-2)),
      ['-a', '-b', '-c'],
    )
    assert.equal(rest.NextToken, undefined)
  })

  test('CreateQueue again is fine with the same attributes and refused with others', async (t) => {
    const queue = await createQueue(t, { VisibilityTimeout: '7' })
    const QueueName = queue.replace(/^.*\//, '')
    const again = (Attributes: QueueAttributes) =>
      client.send(new CreateQueueCommand({ QueueName, Attributes }))
    assert.equal((await again({ VisibilityTimeout: '7' })).QueueUrl, queue)
    await assert.rejects(again({ VisibilityTimeout: '8' }), { name: 'QueueNameExists' })
  })

  const refusedQueues: readonly [string, string, QueueAttributes, string][] = [
    ['a name with a space', 'a b', {}, 'InvalidParameterValue'],
    ['a standard queue called .fifo', 'a.fifo', {}, 'InvalidParameterValue'],
    ['a FIFO queue not called .fifo', 'a', FIFO, 'InvalidParameterValue'],
    ['DelaySeconds 901', 'a', { DelaySeconds: '901' }, 'InvalidAttributeValue'],
    ['VisibilityTimeout 43201', 'a', { VisibilityTimeout: '43201' }, 'InvalidAttributeValue'],
    ['MaximumMessageSize 1048577', 'a', { MaximumMessageSize: '1048577' }, 'InvalidAttributeValue'],
    ['MessageRetentionPeriod 59', 'a', { MessageRetentionPeriod: '59' }, 'InvalidAttributeValue'],
    ['wait of 21 s', 'a', { ReceiveMessageWaitTimeSeconds: '21' }, 'InvalidAttributeValue'],
    [
      'a FIFO attribute on a standard queue',
      'a',
      { ContentBasedDeduplication: 'true' },
      'InvalidAttributeName',
    ],
    ['a policy that is not JSON', 'a', { Policy: '{' }, 'InvalidAttributeValue'],
    ['a redrive policy that is not JSON', 'a', { RedrivePolicy: '{' }, 'InvalidParameterValue'],
    [
      'a dead-letter queue that does not exist',
      'a',
      {
        RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:no","maxReceiveCount":1}',
      },
      'InvalidParameterValue',
    ],
  ]
  for (const [what, QueueName, Attributes, name] of refusedQueues) {
    test(`CreateQueue refuses ${what}`, async () => {
      await assert.rejects(client.send(new CreateQueueCommand({ QueueName, Attributes })), { name })
    })
  }

  test('a FIFO queue takes no standard queue as its dead-letter queue', async (t) => {
    const dead = await createQueue(t)
    const { QueueArn: deadLetterTargetArn } = await attributesOf(dead, 'QueueArn')
    const Attributes = { ...FIFO, RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1 }) }
    const created = client.send(new CreateQueueCommand({ QueueName: uniqueName(true), Attributes }))
    await assert.rejects(created, { name: 'InvalidParameterValue' })
  })

  test('SetQueueAttributes changes what is given and keeps the rest', async (t) => {
    const queue = await createQueue(t, { DelaySeconds: '5', KmsMasterKeyId: 'alias/aws/sqs' })
    const Attributes = { VisibilityTimeout: '9', KmsMasterKeyId: '' }
    await client.send(new SetQueueAttributesCommand({ QueueUrl: queue, Attributes }))
    const all = await attributesOf(queue, 'All')
    assert.equal(all.DelaySeconds, '5')
    assert.equal(all.VisibilityTimeout, '9')
    assert.equal(all.KmsMasterKeyId, undefined)
    assert.equal(all.MaximumMessageSize, '1048576')
  })

  test('GetQueueAttributes answers only what is asked for', async (t) => {
    const queue = await createQueue(t)
    assert.deepEqual(Object.keys(await attributesOf(queue, 'QueueArn', 'DelaySeconds')).sort(), [
      'DelaySeconds',
      'QueueArn',
    ])
    assert.deepEqual(await attributesOf(queue), {})
  })

  test('messages are counted as visible, in flight and delayed', async (t) => {
    const queue = await createQueue(t)
    for (const body of ['a', 'b', 'c']) await send(queue, body)
    await send(queue, 'later', { DelaySeconds: 900 })
    await receiveOne(queue)
    assert.deepEqual(await countsOf(queue), { visible: '2', notVisible: '1', delayed: '1' })
  })

  test('tags come and go without touching the messages', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'kept')
    await client.send(new TagQueueCommand({ QueueUrl: queue, Tags: { a: '1', b: '2' } }))
    await client.send(new UntagQueueCommand({ QueueUrl: queue, TagKeys: ['a'] }))
    assert.deepEqual((await client.send(new ListQueueTagsCommand({ QueueUrl: queue }))).Tags, { b: '2' })
    assert.deepEqual(await bodiesOf(queue), ['kept'])
  })

  test('PurgeQueue deletes every message, in flight or delayed too', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'a')
    await receiveOne(queue)
    await send(queue, 'b')
    await send(queue, 'c', { DelaySeconds: 60 })
    await client.send(new PurgeQueueCommand({ QueueUrl: queue }))
    assert.deepEqual(await countsOf(queue), { visible: '0', notVisible: '0', delayed: '0' })
  })

  test('a message comes with its system attributes', async (t) => {
    const queue = await createQueue(t)
    const { MessageId } = await send(queue, 'hello ✉', { MessageGroupId: 'tenant' })
    const message = await receiveOne(queue, { MessageSystemAttributeNames: ['All'] })
    assert.equal(message.MessageId, MessageId)
    assert.equal(message.Body, 'hello ✉')
    assert.equal(message.Attributes?.ApproximateReceiveCount, '1')
    assert.equal(message.Attributes?.MessageGroupId, 'tenant')
    assert.match(message.Attributes?.SenderId ?? '', /./)
    for (const name of ['SentTimestamp', 'ApproximateFirstReceiveTimestamp'] as const) {
      assert.ok(Math.abs(Number(message.Attributes?.[name]) - Date.now()) < 60_000, name)
    }
  })

  test('a message comes without the system attributes nobody asked for', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'x')
    assert.equal((await receiveOne(queue)).Attributes, undefined)
  })

  // The digest is what AWS answers for this attribute, as the moto project pins it.
  test('MD5OfMessageAttributes follows the documented encoding', async (t) => {
    const queue = await createQueue(t)
    const timestamp = { DataType: 'Number', StringValue: '1493147359900' }
    const sent = await send(queue, 'x', { MessageAttributes: { timestamp } })
    assert.equal(sent.MD5OfMessageAttributes, '235c5c510d26fb653d073faed50ae77c')
    const message = await receiveOne(queue, { MessageAttributeNames: ['All'] })
    assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes)
  })

  test('message attributes are selected by name, prefix or All', async (t) => {
    const queue = await createQueue(t, { VisibilityTimeout: '0' })
    const MessageAttributes = {
      'job.id': { DataType: 'String', StringValue: 'j1' },
      'job.data': { DataType: 'Binary.gzip', BinaryValue: Uint8Array.of(0, 255) },
      other: { DataType: 'Number', StringValue: '-1.5e3' },
    }
    await send(queue, 'x', { MessageAttributes })
    const selected = async (...MessageAttributeNames: string[]) =>
      (await receiveOne(queue, { MessageAttributeNames })).MessageAttributes
    assert.deepEqual(await selected('All'), MessageAttributes)
    assert.deepEqual(Object.keys((await selected('job.*')) ?? {}).sort(), ['job.data', 'job.id'])
    assert.deepEqual(Object.keys((await selected('other')) ?? {}), ['other'])
    assert.equal(await selected(), undefined)
  })

  const refusedMessages: readonly [string, string, Partial<SendMessageCommandInput>, string][] = [
    ['an empty body', '', {}, 'MissingParameter'],
    ['a control character', 'a\u0000b', {}, 'InvalidMessageContents'],
    ['a noncharacter', 'a\uFFFE', {}, 'InvalidMessageContents'],
    ['1 byte too much', 'x'.repeat(1_048_577), {}, 'InvalidParameterValue'],
    ['DelaySeconds 901', 'x', { DelaySeconds: 901 }, 'InvalidParameterValue'],
    ['a deduplication id on a standard queue', 'x', { MessageDeduplicationId: 'a' }, 'InvalidParameterValue'],
    ['a group id with a space', 'x', { MessageGroupId: 'a b' }, 'InvalidParameterValue'],
    [
      'an unknown attribute type',
      'x',
      { MessageAttributes: { a: { DataType: 'Blob', StringValue: 'x' } } },
      'InvalidParameterValue',
    ],
    [
      'an empty attribute value',
      'x',
      { MessageAttributes: { a: { DataType: 'String', StringValue: '' } } },
      'InvalidParameterValue',
    ],
  ]
  for (const [what, body, rest, name] of refusedMessages) {
    test(`SendMessage refuses ${what}`, async (t) => {
      await assert.rejects(send(await createQueue(t), body, rest), { name })
    })
  }

  test('a message of 1 MiB passes, its attributes count', async (t) => {
    const queue = await createQueue(t)
    const body = 'x'.repeat(1_048_576)
    await send(queue, body)
    assert.equal((await receiveOne(queue)).Body, body)
    const MessageAttributes = { a: { DataType: 'String', StringValue: 'b' } }
    await assert.rejects(send(queue, body, { MessageAttributes }), { name: 'InvalidParameterValue' })
  })

  test("a message above the queue's MaximumMessageSize is refused", async (t) => {
    const queue = await createQueue(t, { MaximumMessageSize: '1024' })
    await send(queue, 'x'.repeat(1_024))
    await assert.rejects(send(queue, 'x'.repeat(1_025)), { name: 'InvalidParameterValue' })
  })

  const entry = (Id: string, MessageBody = Id) => ({ Id, MessageBody })
  const refusedBatches: readonly [string, { Id: string; MessageBody: string }[], string][] = [
    ['no entries', [], 'EmptyBatchRequest'],
    ['eleven entries', [...'abcdefghijk'].map((id) => entry(id)), 'TooManyEntriesInBatchRequest'],
    ['two entries of one id', [entry('a'), entry('a')], 'BatchEntryIdsNotDistinct'],
    ['an id with a dot', [entry('a.b')], 'InvalidBatchEntryId'],
    [
      'more than 1 MiB',
      [entry('a', 'x'.repeat(600_000)), entry('b', 'x'.repeat(600_000))],
      'BatchRequestTooLong',
    ],
  ]
  for (const [what, Entries, name] of refusedBatches) {
    test(`SendMessageBatch refuses ${what}`, async (t) => {
      const QueueUrl = await createQueue(t)
      await assert.rejects(client.send(new SendMessageBatchCommand({ QueueUrl, Entries })), { name })
    })
  }

  test('a batch fails by entry', async (t) => {
    const queue = await createQueue(t)
    const Entries = [entry('good'), entry('bad', '\u0001'), entry('fine')]
    const sent = await client.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }))
    assert.deepEqual(
      sent.Successful?.map(({ Id }) => Id),
      ['good', 'fine'],
    )
    assert.deepEqual(
      sent.Failed?.map(({ Id, Code, SenderFault }) => ({ Id, Code, SenderFault })),
      [{ Id: 'bad', Code: 'InvalidMessageContents', SenderFault: true }],
    )
    const received = await receive(queue)
    const handles = received.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    const deleted = await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queue,
        Entries: [...handles, { Id: 'x', ReceiptHandle: 'no' }],
      }),
    )
    assert.equal(deleted.Successful?.length, 2)
    assert.equal(deleted.Failed?.[0]?.Code, 'ReceiptHandleIsInvalid')
    assert.deepEqual(await countsOf(queue), { visible: '0', notVisible: '0', delayed: '0' })
  })

  test('a received message is hidden, and back with a higher count when its visibility ends', async (t) => {
    const queue = await createQueue(t, { VisibilityTimeout: '1' })
    await send(queue, 'x')
    const first = await receiveOne(queue)
    assert.deepEqual(await receive(queue), [])
    const options = { WaitTimeSeconds: 5, MessageSystemAttributeNames: ['All' as const] }
    const second = await receiveOne(queue, options)
    assert.equal(second.Attributes?.ApproximateReceiveCount, '2')
    assert.notEqual(second.ReceiptHandle, first.ReceiptHandle)
  })

  test('a delayed message appears when its delay ends, not before', async (t) => {
    const queue = await createQueue(t, { DelaySeconds: '900' })
    const sentAt = Date.now()
    await send(queue, 'x', { DelaySeconds: 1 })
    assert.deepEqual(await bodiesOf(queue), [])
    assert.deepEqual(await bodiesOf(queue, { WaitTimeSeconds: 10 }), ['x'])
    const waitedMs = Date.now() - sentAt
    assert.ok(waitedMs >= 1_000 && waitedMs < 5_000, `waited ${waitedMs} ms`)
  })

  test('a message deleted twice is no error', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'x')
    const { ReceiptHandle } = await receiveOne(queue)
    await remove(queue, ReceiptHandle)
    await remove(queue, ReceiptHandle)
    assert.deepEqual(await countsOf(queue), { visible: '0', notVisible: '0', delayed: '0' })
  })

  test('visibility 0 brings a message back at once and wakes a long poll', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'x')
    const { ReceiptHandle } = await receiveOne(queue)
    const polled = bodiesOf(queue, { WaitTimeSeconds: 10 })
    await sleep(100)
    const changedAt = Date.now()
    await setVisibility(queue, ReceiptHandle, 0)
    assert.deepEqual(await polled, ['x'])
    assert.ok(Date.now() - changedAt < 2_000)
  })

  test('visibility can be prolonged', async (t) => {
    const queue = await createQueue(t, { VisibilityTimeout: '1' })
    await send(queue, 'x')
    await setVisibility(queue, (await receiveOne(queue)).ReceiptHandle, 30)
    assert.deepEqual(await bodiesOf(queue, { WaitTimeSeconds: 2 }), [])
  })

  test('visibility of a message that is not in flight cannot be changed', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'x')
    const { ReceiptHandle } = await receiveOne(queue, { VisibilityTimeout: 0 })
    await assert.rejects(setVisibility(queue, ReceiptHandle, 5), { name: 'MessageNotInflight' })
  })

  test('visibility of a deleted message cannot be changed', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'x')
    const { ReceiptHandle } = await receiveOne(queue)
    await remove(queue, ReceiptHandle)
    await assert.rejects(setVisibility(queue, ReceiptHandle, 5), { name: 'InvalidParameterValue' })
  })

  test('visibility is changed by batch, failing by entry', async (t) => {
    const queue = await createQueue(t)
    await send(queue, 'x')
    const { ReceiptHandle } = await receiveOne(queue)
    const Entries = [
      { Id: 'a', ReceiptHandle, VisibilityTimeout: 0 },
      { Id: 'b', ReceiptHandle: 'no', VisibilityTimeout: 0 },
    ]
    const changed = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queue, Entries }))
    assert.equal(changed.Successful?.[0]?.Id, 'a')
    assert.equal(changed.Failed?.[0]?.Id, 'b')
    assert.deepEqual(await bodiesOf(queue), ['x'])
  })

  test('a malformed receipt handle is refused', async (t) => {
    const queue = await createQueue(t)
    await assert.rejects(remove(queue, 'no handle'), { name: 'ReceiptHandleIsInvalid' })
  })

  const refusedReceives: readonly [string, Partial<ReceiveMessageCommandInput>, string][] = [
    ['MaxNumberOfMessages 11', { MaxNumberOfMessages: 11 }, 'InvalidParameterValue'],
    ['MaxNumberOfMessages 0', { MaxNumberOfMessages: 0 }, 'InvalidParameterValue'],
    ['WaitTimeSeconds 21', { WaitTimeSeconds: 21 }, 'InvalidParameterValue'],
    ['VisibilityTimeout 43201', { VisibilityTimeout: 43_201 }, 'InvalidParameterValue'],
  ]
  for (const [what, input, name] of refusedReceives) {
    test(`ReceiveMessage refuses ${what}`, async (t) => {
      await assert.rejects(receive(await createQueue(t), input), { name })
    })
  }

  test('a long poll is woken by a send', async (t) => {
    const queue = await createQueue(t, { ReceiveMessageWaitTimeSeconds: '10' })
    const polled = bodiesOf(queue)
    await sleep(100)
    const sentAt = Date.now()
    await send(queue, 'x')
    assert.deepEqual(await polled, ['x'])
    assert.ok(Date.now() - sentAt < 2_000)
  })

  test('a long poll answers empty when its time is over', async (t) => {
    const queue = await createQueue(t)
    const startedAt = Date.now()
    assert.deepEqual(await bodiesOf(queue, { WaitTimeSeconds: 1 }), [])
    assert.ok(Date.now() - startedAt >= 900)
  })

  test('no message goes to two concurrent receivers', async (t) => {
    const queue = await createQueue(t)
    const sent = await Promise.all(Array.from({ length: 30 }, (_, index) => send(queue, `m${index}`)))
    const polls = Array.from({ length: 10 }, () => receive(queue, { WaitTimeSeconds: 1 }))
    const ids = (await Promise.all(polls)).flat().map((message) => message.MessageId)
    assert.deepEqual(ids.sort(), sent.map((message) => message.MessageId).sort())
  })

  test('a message received too often moves to the dead-letter queue under its id', async (t) => {
    const { source, dead } = await createPair(t, 2)
    const { MessageId } = await send(source, 'poison')
    await receiveOne(source, { VisibilityTimeout: 0 })
    await receiveOne(source, { VisibilityTimeout: 0 })
    const waiting = receiveOne(dead, { WaitTimeSeconds: 10, MessageSystemAttributeNames: ['All'] })
    await sleep(100)
    const movedAt = Date.now()
    assert.deepEqual(await receive(source), [])
    const moved = await waiting
    assert.ok(Date.now() - movedAt < 5_000, 'the move woke the long poll')
    assert.equal(moved.MessageId, MessageId)
    assert.equal(moved.Body, 'poison')
    const { QueueArn } = await attributesOf(source, 'QueueArn')
    assert.equal(moved.Attributes?.DeadLetterQueueSourceArn, QueueArn)
    assert.deepEqual(await countsOf(source), { visible: '0', notVisible: '0', delayed: '0' })
  })
})
