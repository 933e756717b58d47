import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { CreateEmailIdentityCommand, SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2'
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { bootLocalCloud, type LocalCloud } from '../../infra/local/boot.ts'
import { deleteExpired } from '../../infra/local/dynamodb/item-expiry.ts'
import { FunctionError } from '../../infra/local/programs/lambda-protocol.ts'
import { synthDemoApp } from './demo-app.ts'

const sdk = (name: string) => JSON.stringify(import.meta.resolve(`@aws-sdk/client-${name}`))

/** Writes to every store, with nothing but its own environment. */
const api = `
import { DynamoDBClient, PutItemCommand } from ${sdk('dynamodb')}
import { PutObjectCommand, S3Client } from ${sdk('s3')}
import { SendMessageCommand, SQSClient } from ${sdk('sqs')}
import { GetSecretValueCommand, SecretsManagerClient } from ${sdk('secrets-manager')}
const dynamodb = new DynamoDBClient()
const s3 = new S3Client()
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false })
const secrets = new SecretsManagerClient()
const { TABLE, BUCKET, QUEUE_URL, SECRET_ARN, EXTRA } = process.env
export const handler = async ({ rawPath, body, isBase64Encoded }) => {
  const text = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString()
  await dynamodb.send(new PutItemCommand({ TableName: TABLE, Item: { pk: { S: text }, sk: { S: rawPath } } }))
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: text, Body: text }))
  await sqs.send(new SendMessageCommand({ QueueUrl: QUEUE_URL, MessageBody: text }))
  const secret = await secrets.send(new GetSecretValueCommand({ SecretId: SECRET_ARN }))
  return { statusCode: 202, body: JSON.stringify({ isBase64Encoded, length: secret.SecretString.length, EXTRA }) }
}`

/** Answers an event that is no batch as it is; fails messages that say poison. */
const worker = `
export const handler = async (event) => {
  if (event.spin) for (;;);
  if (!event.Records) return event
  for (const { body, eventSource } of event.Records) console.log(eventSource, body)
  const poison = event.Records.filter(({ body }) => body === 'poison')
  return { batchItemFailures: poison.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}`

const task = `
console.log('up', process.argv[2], process.env.GREETING)
process.on('SIGTERM', () => process.exit())
setInterval(() => {}, 1e6)`

const directory = mkdtempSync(join(tmpdir(), 'local-cloud-'))
const log: string[] = []
let assembly: string
let cloud: LocalCloud

const boot = (data = 'data'): Promise<LocalCloud> =>
  bootLocalCloud({
    assembly,
    stack: 'Demo',
    directory: join(directory, data),
    httpPort: 0,
    addresses: ['127.0.0.1', '::1'],
    environment: { ApiFunction: { EXTRA: 'given' } },
    onLog: (line) => log.push(line),
  })

before(async () => {
  assembly = synthDemoApp(directory, { api, worker, task })
  cloud = await boot()
})
after(async () => {
  await cloud.stop()
  rmSync(directory, { recursive: true })
})

async function until<T>(probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await probe()
    if (found) return found
    await setTimeout(50)
  }
}

test('local cloud: a request goes through API, function, stores and queue to the event source', async () => {
  const headers = { 'content-type': 'application/octet-stream' }
  const answer = await fetch(`${cloud.apiUrl}/api/v1`, { method: 'POST', headers, body: 'hello' })
  assert.equal(answer.status, 202)
  assert.deepEqual(await answer.json(), { isBase64Encoded: true, length: 24, EXTRA: 'given' })
  const { Item } = await new DynamoDBClient(cloud.clientConfig()).send(
    new GetItemCommand({
      TableName: cloud.outputs.TableName,
      Key: { pk: { S: 'hello' }, sk: { S: '/api/v1' } },
    }),
  )
  assert.ok(Item)
  const object = await new S3Client(cloud.clientConfig()).send(
    new GetObjectCommand({ Bucket: cloud.outputs.BucketName, Key: 'hello' }),
  )
  assert.equal(await object.Body?.transformToString(), 'hello')
  await until(() => log.includes('[Worker] aws:sqs hello'))
})

test('local cloud: the API listens on every address', async () => {
  const { port } = new URL(cloud.apiUrl)
  assert.equal((await fetch(`http://[::1]:${port}/none`)).status, 404)
})

test('local cloud: of a batch only the failed message comes back, and ends in the dead-letter queue', async () => {
  const sqs = new SQSClient({ ...cloud.clientConfig(), useQueueUrlAsEndpoint: false })
  const Entries = ['fine', 'poison'].map((MessageBody) => ({ Id: MessageBody, MessageBody }))
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: cloud.outputs.QueueUrl, Entries }))
  const receive = new ReceiveMessageCommand({ QueueUrl: cloud.outputs.DeadLettersUrl, WaitTimeSeconds: 20 })
  const { Messages = [] } = await sqs.send(receive)
  assert.deepEqual(
    Messages.map(({ Body }) => Body),
    ['poison'],
  )
  assert.ok(log.includes('[Worker] aws:sqs fine'))
  const counts = new GetQueueAttributesCommand({ QueueUrl: cloud.outputs.QueueUrl, AttributeNames: ['All'] })
  const { Attributes } = await sqs.send(counts)
  assert.equal(Attributes?.ApproximateNumberOfMessages, '0')
  assert.equal(Attributes?.ApproximateNumberOfMessagesNotVisible, '0')
})

test('local cloud: a function is invoked by the start of its logical id', async () => {
  assert.deepEqual(await cloud.invoke('Work', { a: 1 }), { a: 1 })
  await assert.rejects(cloud.invoke('Nobody', {}), /no function starts with Nobody: ApiFunction, Worker/)
})

test('local cloud: SES keeps what it accepts, and its events come to the queue by the rule', async () => {
  const ses = new SESv2Client(cloud.clientConfig())
  await ses.send(new CreateEmailIdentityCommand({ EmailIdentity: 'shop.example' }))
  const Data = Buffer.from('From: ann@shop.example\r\nTo: bob@b.example\r\n\r\nx\r\n')
  const { ConfigurationSetName } = cloud.outputs
  const { MessageId } = await ses.send(
    new SendEmailCommand({ Content: { Raw: { Data } }, ConfigurationSetName }),
  )
  const line = await until(() => log.find((each) => each.includes(`"messageId":"${MessageId}"`)))
  const { eventType, delivery } = JSON.parse(line.replace('[Worker] aws:sqs ', '')).detail
  assert.deepEqual([eventType, delivery.recipients], ['Delivery', ['bob@b.example']])
  const [mail] = cloud.ses.accepted()
  assert.deepEqual([mail?.messageId, mail?.raw], [MessageId, Data])
  ses.destroy()
})

test("local cloud: the function's timeout is enforced with AWS's message", async () => {
  const error = await cloud.invoke('Worker', { spin: true }).catch((reason: unknown) => reason)
  assert.ok(error instanceof FunctionError)
  assert.match(error.message, /Task timed out after 2\.00 seconds$/)
})

test("local cloud: the task runs the main container's command with its variables", async () => {
  await until(() => log.includes('[main] up one hello'))
})

test('local cloud: what has expired is deleted, what has not stays', async () => {
  const client = new DynamoDBClient(cloud.clientConfig())
  const TableName = cloud.outputs.TableName ?? ''
  for (const [pk, expires] of [
    ['old', '999'],
    ['now', '1000'],
    ['new', '1001'],
  ] as const) {
    await client.send(
      new PutItemCommand({ TableName, Item: { pk: { S: pk }, sk: { S: '-' }, expires: { N: expires } } }),
    )
  }
  const table = { name: TableName, keys: ['pk', 'sk'], attribute: 'expires' }
  assert.equal(await deleteExpired(client, table, 1000), 1)
  const Key = { pk: { S: 'old' }, sk: { S: '-' } }
  assert.equal((await client.send(new GetItemCommand({ TableName, Key }))).Item, undefined)
})

test('local cloud: one process at a time uses a data directory', async () => {
  await assert.rejects(boot(), /Another process uses the data directory/)
})

test('local cloud: after a restart data, secret and names are the same', async () => {
  const secretOf = async () => {
    const command = new GetSecretValueCommand({ SecretId: cloud.outputs.SecretArn })
    return (await new SecretsManagerClient(cloud.clientConfig()).send(command)).SecretString
  }
  const s3 = () => new S3Client(cloud.clientConfig())
  const at = { Bucket: cloud.outputs.BucketName, Key: 'kept' }
  await s3().send(new PutObjectCommand({ ...at, Body: 'kept' }))
  const [secret, { SecretArn, TableName }] = [await secretOf(), cloud.outputs]
  const stoppedAtMs = performance.now()
  await cloud.stop()
  assert.ok(performance.now() - stoppedAtMs < 3000)
  cloud = await boot()
  assert.deepEqual([await secretOf(), cloud.outputs.SecretArn], [secret, SecretArn])
  assert.equal(await (await s3().send(new GetObjectCommand(at))).Body?.transformToString(), 'kept')
  const describe = new DescribeTableCommand({ TableName })
  const { Table } = await new DynamoDBClient(cloud.clientConfig()).send(describe)
  assert.equal(Table?.GlobalSecondaryIndexes?.[0]?.IndexName, 'byColour')
})

/** Boots a changed template on the same data. */
async function bootChanged(
  change: (resources: Record<string, { Properties?: object }>) => void,
): Promise<void> {
  const file = join(assembly, 'Demo.template.json')
  const original = readFileSync(file, 'utf8')
  const document = JSON.parse(original)
  change(document.Resources)
  await cloud.stop()
  writeFileSync(file, JSON.stringify(document))
  try {
    cloud = await boot()
  } finally {
    writeFileSync(file, original)
  }
}

test('local cloud: changed queue attributes and a new index are taken over by the existing ones', async () => {
  await bootChanged(({ DeadLettersBBF8BAAB: queue, TableCD117FA1: table }) => {
    assert.ok(queue && table?.Properties)
    queue.Properties = { MessageRetentionPeriod: 1000 }
    Object.assign(table.Properties, {
      GlobalSecondaryIndexes: [
        {
          IndexName: 'bySk',
          KeySchema: [{ AttributeName: 'sk', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    })
  })
  const sqs = new SQSClient({ ...cloud.clientConfig(), useQueueUrlAsEndpoint: false })
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: cloud.outputs.DeadLettersUrl, AttributeNames: ['All'] }),
  )
  assert.equal(Attributes?.MessageRetentionPeriod, '1000')
  const { Table } = await new DynamoDBClient(cloud.clientConfig()).send(
    new DescribeTableCommand({ TableName: cloud.outputs.TableName }),
  )
  const indexes = Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)
  assert.deepEqual(indexes?.toSorted(), ['byColour', 'bySk'])
})

test('local cloud: a template that cannot run here fails as a whole and leaves nothing running', async () => {
  const unknown = ({ Bucket83908E77: bucket }: Record<string, object>) =>
    Object.assign(bucket ?? {}, { Type: 'AWS::SNS::Topic' })
  await assert.rejects(
    bootChanged(unknown),
    /The template's resource Bucket83908E77 has the type AWS::SNS::Topic/,
  )
  // The directory is free again.
  cloud = await boot()
})
