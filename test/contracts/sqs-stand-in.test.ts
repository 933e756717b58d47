import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject, JsonService } from '../../infra/local/gateway/json-service.ts'
import { openStandIn } from './sqs-contract.ts'

describe('SQS stand-in', () => {
  interface StandIn {
    readonly sqs: JsonService
    readonly directory: string
    advance(milliseconds: number): void
  }

  // Its clock starts at the test's and is moved by hand.
  function standIn(t: TestContext): StandIn {
    let time = Date.now()
    const directory = mkdtempSync(join(tmpdir(), 'sqs-'))
    const sqs = openStandIn(directory, () => time)
    t.after(() => {
      sqs.close()
      rmSync(directory, { recursive: true })
    })
    return {
      sqs,
      directory,
      advance: (milliseconds) => {
        time += milliseconds
      },
    }
  }

  const QueueUrl = 'http://elsewhere.invalid:9/000000000000/q'

  async function received(sqs: JsonService, url = QueueUrl): Promise<readonly JsonObject[]> {
    const { Messages } = await sqs.call('ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 10 })
    return (Messages ?? []) as readonly JsonObject[]
  }

  test('a queue is known by its name, whatever host its URL names', async (t) => {
    const { sqs } = standIn(t)
    const created = await sqs.call('CreateQueue', { QueueName: 'q' })
    assert.deepEqual(created, { QueueUrl: 'http://127.0.0.1:1/000000000000/q' })
    await sqs.call('SendMessage', { QueueUrl, MessageBody: 'x' })
    assert.equal((await received(sqs)).length, 1)
  })

  test('a message past its retention period is gone', async (t) => {
    const { sqs, advance } = standIn(t)
    await sqs.call('CreateQueue', { QueueName: 'q', Attributes: { MessageRetentionPeriod: '60' } })
    await sqs.call('SendMessage', { QueueUrl, MessageBody: 'x' })
    advance(60_000)
    assert.deepEqual(await received(sqs), [])
  })

  test('a deduplication id is free again after five minutes, not before, even if its message is gone', async (t) => {
    const { sqs, advance } = standIn(t)
    const fifo = `${QueueUrl}.fifo`
    await sqs.call('CreateQueue', { QueueName: 'q.fifo', Attributes: { FifoQueue: 'true' } })
    const message = { QueueUrl: fifo, MessageBody: 'x', MessageGroupId: 'g', MessageDeduplicationId: 'd' }
    const first = await sqs.call('SendMessage', message)
    const [taken] = await received(sqs, fifo)
    await sqs.call('DeleteMessage', { QueueUrl: fifo, ReceiptHandle: taken?.ReceiptHandle })
    advance(299_999)
    assert.equal((await sqs.call('SendMessage', message)).MessageId, first.MessageId)
    assert.deepEqual(await received(sqs, fifo), [])
    advance(1)
    assert.notEqual((await sqs.call('SendMessage', message)).MessageId, first.MessageId)
    assert.equal((await received(sqs, fifo)).length, 1)
  })

  test('a message cannot stay in flight for more than 12 hours from its receive', async (t) => {
    const { sqs, advance } = standIn(t)
    await sqs.call('CreateQueue', { QueueName: 'q' })
    await sqs.call('SendMessage', { QueueUrl, MessageBody: 'x' })
    const [message] = await received(sqs)
    const change = (VisibilityTimeout: number) =>
      sqs.call('ChangeMessageVisibility', {
        QueueUrl,
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout,
      })
    advance(10_000)
    await change(43_190)
    await assert.rejects(change(43_191), { code: 'com.amazonaws.sqs#InvalidParameterValue' })
  })

  test('an older receipt handle of a standard queue deletes nothing', async (t) => {
    const { sqs, advance } = standIn(t)
    await sqs.call('CreateQueue', { QueueName: 'q' })
    await sqs.call('SendMessage', { QueueUrl, MessageBody: 'x' })
    const [first] = await received(sqs)
    advance(30_000)
    await received(sqs)
    await sqs.call('DeleteMessage', { QueueUrl, ReceiptHandle: first?.ReceiptHandle })
    advance(30_000)
    assert.equal((await received(sqs)).length, 1)
  })

  test('a FIFO message behind a delayed one of its group waits for it', async (t) => {
    const { sqs, advance } = standIn(t)
    const fifo = `${QueueUrl}.fifo`
    const Attributes = { FifoQueue: 'true', ContentBasedDeduplication: 'true', DelaySeconds: '10' }
    await sqs.call('CreateQueue', { QueueName: 'q.fifo', Attributes })
    await sqs.call('SendMessage', { QueueUrl: fifo, MessageBody: '1', MessageGroupId: 'g' })
    await sqs.call('SetQueueAttributes', { QueueUrl: fifo, Attributes: { DelaySeconds: '0' } })
    await sqs.call('SendMessage', { QueueUrl: fifo, MessageBody: '2', MessageGroupId: 'g' })
    assert.deepEqual(await received(sqs, fifo), [])
    advance(10_000)
    assert.deepEqual(
      (await received(sqs, fifo)).map((message) => message.Body),
      ['1', '2'],
    )
  })

  test('a failing request leaves alone those that share its commit', async (t) => {
    const { sqs } = standIn(t)
    await sqs.call('CreateQueue', { QueueName: 'q' })
    const bodies = ['a', '', 'b']
    const sends = bodies.map((MessageBody) => sqs.call('SendMessage', { QueueUrl, MessageBody }))
    const outcomes = (await Promise.allSettled(sends)).map((outcome) => outcome.status)
    assert.deepEqual(outcomes, ['fulfilled', 'rejected', 'fulfilled'])
    assert.equal((await received(sqs)).length, 2)
  })

  test('an unknown operation is named', async (t) => {
    const { sqs } = standIn(t)
    await assert.rejects(sqs.call('StartMessageMoveTask', {}), /StartMessageMoveTask is not valid/)
  })

  test('close ends a long poll and is safe twice', async (t) => {
    const { sqs } = standIn(t)
    await sqs.call('CreateQueue', { QueueName: 'q' })
    const polled = sqs.call('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 })
    await sqs.call('ListQueues', {})
    sqs.close()
    sqs.close()
    assert.deepEqual(await polled, {})
  })

  test('queues, messages in flight and receipts survive a restart', async (t) => {
    const { sqs, directory } = standIn(t)
    await sqs.call('CreateQueue', { QueueName: 'q' })
    await sqs.call('SendMessage', { QueueUrl, MessageBody: 'x' })
    const [message] = await received(sqs)
    sqs.close()
    const reopened = openStandIn(directory, Date.now)
    t.after(() => reopened.close())
    assert.deepEqual(await received(reopened), [])
    await reopened.call('DeleteMessage', { QueueUrl, ReceiptHandle: message?.ReceiptHandle })
    const counts = await reopened.call('GetQueueAttributes', {
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
    })
    assert.deepEqual(counts, { Attributes: { ApproximateNumberOfMessagesNotVisible: '0' } })
  })

  test('every acknowledged message survives kill -9', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'sqs-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const acknowledged = await killWriter(directory, 1_000)
    const sqs = openStandIn(directory, Date.now)
    t.after(() => sqs.close())
    const url = 'http://127.0.0.1:1/000000000000/journal'
    const found = new Set<unknown>()
    for (let batch = await received(sqs, url); batch.length > 0; batch = await received(sqs, url)) {
      for (const message of batch) found.add(message.MessageId)
    }
    assert.ok(acknowledged.length >= 1_000)
    assert.deepEqual(
      acknowledged.filter((id) => !found.has(id)),
      [],
    )
  })
})

/** Lets a process of its own send until it has named `enough` messages, kills it, and answers all it named. */
async function killWriter(directory: string, enough: number): Promise<readonly string[]> {
  const script = fileURLToPath(new URL('../fixtures/sqs-writer.ts', import.meta.url))
  const writer = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ids: string[] = []
  for await (const line of createInterface({ input: writer.stdout })) {
    // A line cut off by the kill is no acknowledgement.
    if (line.length === randomUUID().length) ids.push(line)
    if (ids.length === enough) writer.kill('SIGKILL')
  }
  return ids
}
