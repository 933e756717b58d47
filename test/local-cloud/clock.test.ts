import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import {
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { bootLocalCloud, type LocalCloud } from '../../infra/local/boot.ts'
import { openClock } from '../../infra/local/clock.ts'
import { countWork } from '../../infra/local/programs/running-work.ts'
import { eventually } from '../../scripts/eventually.ts'
import { synthDemoApp } from './demo-app.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const TEN_YEARS = 10 * 365 * 24 * HOUR

const sdk = (name: string) => JSON.stringify(import.meta.resolve(`@aws-sdk/${name}`))

const api = `
import { PutObjectCommand, S3Client } from ${sdk('client-s3')}
import { getSignedUrl } from ${sdk('s3-request-presigner')}
const s3 = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' })
const { BUCKET } = process.env
let fired = false
const paths = {
  '/api/time': ({ requestContext }) => [Date.now(), requestContext.timeEpoch],
  '/api/start': () => { setTimeout(() => { fired = true }, ${HOUR}) },
  '/api/fired': () => fired,
  '/api/slow': async () => {
    const began = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 600))
    return Date.now() - began
  },
  '/api/presign': async () => {
    // An answer first: from its Date an SDK learns how wrong its own clock is.
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'first', Body: 'x' }))
    return await getSignedUrl(s3, new PutObjectCommand({ Bucket: BUCKET, Key: 'signed' }), { expiresIn: 3600 })
  },
}
export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(await paths[event.rawPath](event) ?? null) })`

const worker = `
export const handler = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, 200))
  console.log(event.Records ? 'message' : 'schedule ' + event.time)
}`

const task = `
process.on('SIGTERM', () => process.exit())
console.log('up', Date.now())
setInterval(() => console.log('hourly', Date.now()), ${HOUR})`

const directory = mkdtempSync(join(tmpdir(), 'clock-'))
const log: string[] = []
let assembly: string
let cloud: LocalCloud
let sqs: SQSClient

const boot = async () => {
  cloud = await bootLocalCloud({
    assembly,
    stack: 'Demo',
    directory: join(directory, 'data'),
    httpPort: 0,
    addresses: ['127.0.0.1'],
    onLog: (line) => log.push(line),
  })
  sqs = new SQSClient({ ...cloud.clientConfig(), useQueueUrlAsEndpoint: false })
}

before(async () => {
  assembly = synthDemoApp(directory, { api, worker, task })
  await boot()
})
after(async () => {
  await cloud.stop()
  rmSync(directory, { recursive: true })
})

async function call(name: string): Promise<unknown> {
  return await (await fetch(`${cloud.apiUrl}/api/${name}`)).json()
}

/** From the queue that no function reads. */
async function receive(options: Partial<ReceiveMessageCommandInput> = {}): Promise<readonly Message[]> {
  const QueueUrl = cloud.outputs.DeadLettersUrl
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, ...options }))
  return Messages
}

async function send(MessageBody: string, DelaySeconds?: number): Promise<void> {
  await sqs.send(
    new SendMessageCommand({ QueueUrl: cloud.outputs.DeadLettersUrl, MessageBody, DelaySeconds }),
  )
}

function assertNow(instant: unknown): void {
  assert.ok(Math.abs(Number(instant) - cloud.clock.now()) < 3_000, `${instant} is not ${cloud.clock.now()}`)
}

test('moved clock: functions that run live by it at once, and so do the events of the HTTP API', async () => {
  assertNow(((await call('time')) as number[])[0])
  await cloud.clock.advance(2 * HOUR)
  assert.ok(cloud.clock.offsetMs() >= 2 * HOUR)
  const [now, timeEpoch] = (await call('time')) as number[]
  assertNow(now)
  assertNow(timeEpoch)
})

test('moved clock: a long timer of a function fires when its time has passed', async () => {
  await call('start')
  await cloud.clock.advance(HOUR - MINUTE)
  assert.equal(await call('fired'), false)
  await cloud.clock.advance(MINUTE)
  await eventually('the timer', async () => (await call('fired')) === true)
})

test('moved clock: a task lives by it, and its long timers fire', async () => {
  const lines = () => log.filter((line) => line.startsWith('[main] hourly '))
  await eventually('the task', () => log.some((line) => line.startsWith('[main] up ')))
  const before = lines().length
  await cloud.clock.advance(HOUR)
  await eventually('the timer', () => lines().length > before)
  assertNow(lines().at(-1)?.split(' ')[2])
})

test('moved clock: a schedule whose time has passed has run, once, when the move is done', async () => {
  const runs = () => log.filter((line) => line.startsWith('[Worker] schedule '))
  const before = runs().length
  await cloud.clock.advance(30_000)
  assert.equal(runs().length, before)
  await cloud.clock.advance(10 * MINUTE)
  // Output and answer come by different ways.
  await eventually('the run', () => runs().length > before, 1_000)
  await sleep(300)
  assert.equal(runs().length, before + 1)
  assertNow(Date.parse(runs().at(-1)?.split(' ')[2] ?? ''))
})

test('moved clock: a delayed message wakes who waits for it', async () => {
  await send('delayed', 900)
  const waiting = receive({ WaitTimeSeconds: 20 })
  await sleep(100)
  await cloud.clock.advance(15 * MINUTE)
  const [message] = await waiting
  assert.equal(message?.Body, 'delayed')
})

test('moved clock: a message in flight comes back when its visibility timeout has passed', async () => {
  await send('again')
  assert.equal((await receive({ VisibilityTimeout: 600, WaitTimeSeconds: 2 })).length, 1)
  assert.deepEqual(await receive(), [])
  await cloud.clock.advance(10 * MINUTE)
  assert.ok((await receive({ MaxNumberOfMessages: 10 })).some(({ Body }) => Body === 'again'))
})

test('moved clock: a message is gone when its retention period has passed', async () => {
  await send('old', 900)
  await cloud.clock.advance(4 * 24 * HOUR)
  assert.deepEqual(await receive(), [])
})

test('moved clock: an expired item is deleted when the move is done', async () => {
  const client = new DynamoDBClient(cloud.clientConfig())
  const { TableName } = cloud.outputs
  const Key = { pk: { S: 'expiring' }, sk: { S: '-' } }
  const expires = { N: String(Math.floor(cloud.clock.now() / 1000) + 3600) }
  await client.send(new PutItemCommand({ TableName, Item: { ...Key, expires } }))
  const isThere = async () => (await client.send(new GetItemCommand({ TableName, Key }))).Item !== undefined
  await cloud.clock.advance(30 * MINUTE)
  assert.equal(await isThere(), true)
  await cloud.clock.advance(31 * MINUTE)
  assert.equal(await isThere(), false)
})

test('moved clock: a URL that a function has presigned is valid, and expires', async () => {
  const url = String(await call('presign'))
  const put = async () => await fetch(url, { method: 'PUT', body: 'x' })
  assert.equal((await put()).status, 200)
  await cloud.clock.advance(HOUR)
  const refused = await put()
  assert.equal(refused.status, 403)
  assert.match(await refused.text(), /Request has expired/)
})

const calls = [
  { service: 'dynamodb', target: 'DynamoDB_20120810.ListTables' },
  { service: 'sqs', target: 'AmazonSQS.ListQueues' },
  { service: 'secretsmanager', target: 'secretsmanager.ListSecrets' },
  { service: 's3' },
]

for (const { service, target } of calls) {
  test(`moved clock: ${service} answers with its Date, by which an SDK would correct its own`, async () => {
    const { accessKeyId } = cloud.clientConfig().credentials
    const Credential = `${accessKeyId}/20260101/us-east-1/${service}/aws4_request`
    const answer = await fetch(cloud.endpoint, {
      method: target ? 'POST' : 'GET',
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${Credential}`,
        ...(target && { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' }),
      },
      ...(target && { body: '{}' }),
    })
    assertNow(Date.parse(answer.headers.get('date') ?? ''))
  })
}

test('moved clock: a move waits for what runs', async () => {
  const slow = call('slow')
  await sleep(100)
  await cloud.clock.advance(HOUR)
  assert.ok(Number(await slow) < MINUTE)
})

test('moved clock: a move does not wait for ever', async () => {
  const work = countWork()
  void work.run(() => new Promise(() => {}))
  await work.untilQuiet(20)
})

test('moved clock: a restart keeps it, for functions and tasks too', async () => {
  const offsetMs = cloud.clock.offsetMs()
  await cloud.stop()
  log.length = 0
  await boot()
  assert.equal(cloud.clock.offsetMs(), offsetMs)
  assertNow(((await call('time')) as number[])[0])
  const up = await eventually('the task', () => log.find((line) => line.startsWith('[main] up ')))
  assertNow(up.split(' ')[2])
})

interface Answer {
  readonly status: number
  readonly json: { readonly now?: string; readonly offsetMs?: number; readonly message?: string }
}

/** Not by fetch, which does not let its caller choose the Host. */
async function ask(method: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const request = httpRequest(`${cloud.apiUrl}/_local/clock`, { method, headers }, async (response) => {
    resolve({ status: response.statusCode ?? 0, json: JSON.parse(await text(response)) })
  })
  request.once('error', reject).end(body)
  return await promise
}

test('clock endpoint: GET tells the time, POST moves it first', async () => {
  const before = await ask('GET')
  assert.deepEqual([before.status, before.json.offsetMs], [200, cloud.clock.offsetMs()])
  const moved = await ask('POST', '{"advanceMs":1500}')
  assert.deepEqual([moved.status, moved.json.offsetMs], [200, Number(before.json.offsetMs) + 1500])
  assertNow(Date.parse(moved.json.now ?? ''))
})

const hosts = [
  { host: 'localhost:1080', status: 200 },
  { host: '127.0.0.1', status: 200 },
  { host: '[::1]:1080', status: 200 },
  { host: 'rebound.example:1080', status: 403 },
  { host: 'localhost.example', status: 403 },
  { host: '127.0.0.1.example', status: 403 },
]

for (const { host, status } of hosts) {
  test(`clock endpoint: the Host ${host} is answered ${status}`, async () => {
    assert.equal((await ask('GET', undefined, { host })).status, status)
  })
}

for (const origin of ['http://page.example', 'http://localhost:1080', 'null']) {
  test(`clock endpoint: a web page is refused, Origin ${origin}`, async () => {
    const offsetMs = cloud.clock.offsetMs()
    assert.equal((await ask('POST', '{"advanceMs":1000}', { origin })).status, 403)
    assert.equal(cloud.clock.offsetMs(), offsetMs)
  })
}

const mistakes = [
  { body: '', message: 'the body must be JSON such as {"advanceMs": 28800000}' },
  { body: '{"advanceMs":"1"}', message: 'the body must be JSON such as {"advanceMs": 28800000}' },
  { body: '{"offsetMs":0}', message: 'the body must be JSON such as {"advanceMs": 28800000}' },
  { body: ' '.repeat(1001), message: 'the body must be at most 1000 characters' },
  ...[-1, 0, 0.5, 1e300].map((advanceMs) => ({
    body: JSON.stringify({ advanceMs }),
    message: 'advanceMs: time moves forward by whole milliseconds, at least 1',
  })),
  {
    body: JSON.stringify({ advanceMs: TEN_YEARS }),
    message: 'advanceMs: time moves forward by at most ten years altogether',
  },
]

for (const { body, message } of mistakes) {
  test(`clock endpoint: ${body.trim() || `${body.length} blanks`} is refused with the reason`, async () => {
    const offsetMs = cloud.clock.offsetMs()
    assert.deepEqual(await ask('POST', body), { status: 400, json: { message } })
    assert.equal(cloud.clock.offsetMs(), offsetMs)
  })
}

test('clock endpoint: other methods are 405', async () => {
  assert.equal((await ask('DELETE')).status, 405)
})

for (const content of ['', '{"offsetMs":-1}', '{"offsetMs":1e9}', '{"offsetMs":999999999999999}']) {
  test(`clock: a file that says ${content || 'nothing'} is an error that names it`, () => {
    const damaged = mkdtempSync(join(directory, 'damaged-'))
    writeFileSync(join(damaged, 'clock.json'), content)
    assert.throws(() => openClock(damaged, async () => {}), /clock\.json does not tell how far/)
  })
}
