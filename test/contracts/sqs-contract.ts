import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type JsonObject, type JsonService, ServiceError } from '../../infra/local/gateway/json-service.ts'
import { openSqs } from '../../infra/local/sqs/sqs.ts'

/** Attributes to create a queue with. */
export type QueueAttributes = Partial<Record<QueueAttributeName, string>>

/** Attributes of a FIFO queue that needs no deduplication ids. */
export const FIFO: QueueAttributes = { FifoQueue: 'true', ContentBasedDeduplication: 'true' }

/** Calls to the SQS under test: POSTERN_CONTRACT_SQS_ENDPOINT where set, else a stand-in of its own. */
export async function openContract() {
  const given = process.env.POSTERN_CONTRACT_SQS_ENDPOINT
  const { endpoint, stop } = given === undefined ? await serveStandIn() : { endpoint: given, stop: () => {} }
  const client = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  })

  const uniqueName = (fifo = false) => `contract-${randomUUID()}${fifo ? '.fifo' : ''}`

  async function createQueue(t: TestContext, Attributes: QueueAttributes = {}): Promise<string> {
    const QueueName = uniqueName(Attributes.FifoQueue === 'true')
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }))
    t.after(() => client.send(new DeleteQueueCommand({ QueueUrl })))
    return QueueUrl
  }

  async function createPair(t: TestContext, maxReceiveCount: number, Attributes: QueueAttributes = {}) {
    const kind = Attributes.FifoQueue === 'true' ? FIFO : {}
    const dead = await createQueue(t, kind)
    const { QueueArn: deadLetterTargetArn } = await attributesOf(dead, 'QueueArn')
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount })
    return { dead, source: await createQueue(t, { VisibilityTimeout: '1', ...Attributes, RedrivePolicy }) }
  }

  const send = (QueueUrl: string, MessageBody: string, rest: Partial<SendMessageCommandInput> = {}) =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...rest }))

  async function receive(QueueUrl: string, rest: Partial<ReceiveMessageCommandInput> = {}) {
    const input = { QueueUrl, MaxNumberOfMessages: 10, ...rest }
    const { Messages = [] } = await client.send(new ReceiveMessageCommand(input))
    return Messages
  }

  async function receiveOne(QueueUrl: string, rest: Partial<ReceiveMessageCommandInput> = {}) {
    const [message] = await receive(QueueUrl, { MaxNumberOfMessages: 1, ...rest })
    assert.ok(message?.ReceiptHandle !== undefined, 'a message was due')
    return { ...message, ReceiptHandle: message.ReceiptHandle }
  }

  const bodiesOf = async (QueueUrl: string, rest: Partial<ReceiveMessageCommandInput> = {}) =>
    (await receive(QueueUrl, rest)).map((message) => message.Body)

  const remove = (QueueUrl: string, ReceiptHandle: string) =>
    client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))

  const setVisibility = (QueueUrl: string, ReceiptHandle: string, VisibilityTimeout: number) =>
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }))

  async function attributesOf(QueueUrl: string, ...AttributeNames: QueueAttributeName[]) {
    const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))
    return Attributes
  }

  async function countsOf(QueueUrl: string) {
    const counts = await attributesOf(QueueUrl, 'All')
    return {
      visible: counts.ApproximateNumberOfMessages,
      notVisible: counts.ApproximateNumberOfMessagesNotVisible,
      delayed: counts.ApproximateNumberOfMessagesDelayed,
    }
  }

  return {
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
    close: () => {
      client.destroy()
      stop()
    },
  }
}

/** Opens the stand-in on a directory, as the local cloud does. */
export function openStandIn(
  directory: string,
  now: () => number,
  endpoint = () => 'http://127.0.0.1:1',
): JsonService {
  return openSqs({ directory, region: 'us-east-1', accountId: '000000000000', endpoint, now })
}

async function serveStandIn() {
  const directory = mkdtempSync(join(tmpdir(), 'sqs-'))
  let endpoint = ''
  const sqs = openStandIn(directory, Date.now, () => endpoint)
  const server = createServer((request, response) => answer(sqs, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const stop = () => {
    sqs.close()
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  }
  return { endpoint, stop }
}

async function answer(sqs: JsonService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const operation = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
  const reply = (status: number, body: JsonObject) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
  }
  try {
    reply(200, await sqs.call(operation, JSON.parse(Buffer.concat(chunks).toString())))
  } catch (error) {
    if (error instanceof ServiceError) reply(error.status, { __type: error.code, message: error.message })
    else reply(500, { __type: 'InternalFailure', message: String(error) })
  }
}
