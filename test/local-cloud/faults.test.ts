import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  InternalServerError,
  PutItemCommand,
  ThrottlingException,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { bootLocalCloud } from '../../infra/local/boot.ts'
import { openFaults } from '../../infra/local/gateway/faults.ts'
import type { FaultOptions } from '../../infra/local/gateway/faults-options.ts'
import { seededChance } from '../../infra/local/gateway/faults-random.ts'
import { synthDemoApp } from './demo-app.ts'
import { startFaultyClouds, table } from './faulty-cloud.ts'

// Refusals and lost answers. Reads that are behind: faults-reads.test.ts; queues: faults-sqs.test.ts.

let clouds: Awaited<ReturnType<typeof startFaultyClouds>>
before(async () => {
  clouds = await startFaultyClouds()
})
after(() => clouds.close())

const newKey = () => ({ pk: { S: randomUUID() }, sk: { S: 'item' } })
type ItemKey = ReturnType<typeof newKey>

const isNew = { ConditionExpression: 'attribute_not_exists(pk)' }
const put = (client: DynamoDBClient, key: ItemKey, condition = {}) =>
  client.send(new PutItemCommand({ TableName: table, Item: key, ...condition }))

const transact = (client: DynamoDBClient, keys: readonly ItemKey[]) =>
  client.send(
    new TransactWriteItemsCommand({
      TransactItems: keys.map((Item) => ({ Put: { TableName: table, Item, ...isNew } })),
    }),
  )

async function exists(client: DynamoDBClient, Key: ItemKey): Promise<boolean> {
  const command = new GetItemCommand({ TableName: table, Key, ConsistentRead: true })
  return (await client.send(command)).Item !== undefined
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )

test('conflicts: a transaction is canceled for TransactionConflict, and nothing of it is written', async (t) => {
  const { role, operator } = await clouds.open(t, { seed: 1, transactionConflicts: 1 })
  const keys = [newKey(), newKey(), newKey()]
  const error = await caught(transact(role, keys))
  assert.ok(error instanceof TransactionCanceledException)
  const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code)
  assert.deepEqual(codes.toSorted(), ['None', 'None', 'TransactionConflict'])
  assert.ok(error.message.endsWith(`[${codes.join(', ')}]`))
  for (const key of keys) assert.equal(await exists(operator, key), false)
})

test('conflicts: single writes meet none', async (t) => {
  const { role, operator } = await clouds.open(t, { seed: 1, transactionConflicts: 1 })
  const key = newKey()
  await put(role, key)
  assert.ok(await exists(operator, key))
})

test('throttling: a call is answered ThrottlingException, and nothing is done', async (t) => {
  const { role, operator } = await clouds.open(t, { seed: 1, throttling: 1 })
  const key = newKey()
  assert.ok((await caught(put(role, key))) instanceof ThrottlingException)
  assert.ok((await caught(exists(role, key))) instanceof ThrottlingException)
  assert.equal(await exists(operator, key), false)
})

test('throttling: the SDK takes it for throttling and tries again', async (t) => {
  const seed = seedWith('throttling', [true, false])
  const { role } = await clouds.open(t, { seed, throttling: 0.5 }, 2)
  const { $metadata } = await put(role, newKey())
  assert.equal($metadata.attempts, 2)
})

test('throttling: a batch of reads leaves half of its keys unprocessed', async (t) => {
  const { role, operator } = await clouds.open(t, { seed: 1, throttling: 1 })
  const keys = [newKey(), newKey(), newKey()]
  for (const key of keys) await put(operator, key)
  const RequestItems = { [table]: { Keys: keys, ConsistentRead: true } }
  const { Responses, UnprocessedKeys } = await role.send(new BatchGetItemCommand({ RequestItems }))
  assert.equal(Responses?.[table]?.length, 2)
  assert.deepEqual(UnprocessedKeys, { [table]: { Keys: keys.slice(2), ConsistentRead: true } })
})

test('lost responses: a write is done, and its answer a reset or InternalServerError', async (t) => {
  const { role, operator } = await clouds.open(t, { seed: 1, lostResponses: 1 })
  const kinds = new Set<string>()
  for (let n = 0; n < 8; n++) {
    const key = newKey()
    kinds.add(nameOf(await caught(put(role, key))))
    assert.ok(await exists(operator, key))
  }
  assert.deepEqual([...kinds].toSorted(), ['ECONNRESET', 'InternalServerError'])
})

test('lost responses: a conditional put that the SDK sends again finds its own item', async (t) => {
  const { role } = await clouds.open(t, { seed: 1, lostResponses: 1 }, 2)
  const key = newKey()
  const answerItem = { ...isNew, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }
  const error = await caught(put(role, key, answerItem))
  assert.ok(error instanceof ConditionalCheckFailedException)
  assert.deepEqual(error.Item, key)
})

test('lost responses: a counter that the SDK adds to again counts twice', async (t) => {
  const seed = seedWith('lostResponses', [true, false])
  const { role, operator } = await clouds.open(t, { seed, lostResponses: 0.5 }, 2)
  const Key = newKey()
  const ExpressionAttributeValues = { ':one': { N: '1' } }
  const add = { UpdateExpression: 'ADD n :one', ExpressionAttributeValues }
  await role.send(new UpdateItemCommand({ TableName: table, Key, ...add }))
  const { Item } = await operator.send(new GetItemCommand({ TableName: table, Key }))
  assert.equal(Item?.n?.N, '2')
})

test('lost responses: a transaction that the SDK sends again has the same token and is answered as written', async (t) => {
  const seed = seedWith('lostResponses', [true, false])
  const { role } = await clouds.open(t, { seed, lostResponses: 0.5 }, 2)
  const { $metadata } = await transact(role, [newKey()])
  assert.equal($metadata.attempts, 2)
})

test('lost responses: a transaction that was written meets no conflict when it is sent again', async (t) => {
  const options = { lostResponses: 0.5, transactionConflicts: 0.5 }
  const seed = seedWhere(
    (each) =>
      begins(each, 'lostResponses', [true, false]) && begins(each, 'transactionConflicts', [false, true]),
  )
  const { role } = await clouds.open(t, { seed, ...options }, 2)
  const { $metadata } = await transact(role, [newKey()])
  assert.equal($metadata.attempts, 2)
})

test('lost responses: reads and refused writes keep their answers', async (t) => {
  const { role, operator } = await clouds.open(t, { seed: 1, lostResponses: 1 })
  const key = newKey()
  await put(operator, key)
  assert.ok(await exists(role, key))
  assert.ok((await caught(put(role, key, isNew))) instanceof ConditionalCheckFailedException)
})

const everyFault = {
  transactionConflicts: 1,
  throttling: 1,
  lostResponses: 1,
  staleReads: 1,
  indexLagMs: 2_000,
}

test('faults: the operator meets none', async (t) => {
  const { operator } = await clouds.open(t, { seed: 1, ...everyFault })
  const keys = [newKey(), newKey()]
  await transact(operator, keys)
  for (const key of keys) assert.ok(await exists(operator, key))
})

test('faults: without shares a role meets none', async (t) => {
  const { role } = await clouds.open(t, { seed: 1 })
  const keys = Array.from({ length: 20 }, newKey)
  await transact(role, keys)
  for (const key of keys) assert.ok(await exists(role, key))
})

test('faults: the seed is said once', async (t) => {
  const { log, role } = await clouds.open(t, { seed: 42, throttling: 0 })
  await put(role, newKey())
  assert.deepEqual(log, ['[faults] {"seed":42,"throttling":0}'])
})

const conflictingApi = `
import { DynamoDBClient, TransactWriteItemsCommand } from ${JSON.stringify(import.meta.resolve('@aws-sdk/client-dynamodb'))}
const client = new DynamoDBClient()
export const handler = async ({ pk }) => {
  const Put = { TableName: process.env.TABLE, Item: { pk: { S: pk }, sk: { S: '-' } } }
  const written = client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] }))
  return await written.then(() => 'written', (error) => error.CancellationReasons?.[0]?.Code ?? String(error))
}`

test('local cloud: its functions meet the faults it is booted with, the operator does not', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'faults-boot-'))
  const idle = 'export const handler = async () => {}'
  const assembly = synthDemoApp(directory, {
    api: conflictingApi,
    worker: idle,
    task: 'setInterval(() => {}, 1e6)',
  })
  const log: string[] = []
  const cloud = await bootLocalCloud({
    assembly,
    stack: 'Demo',
    directory: join(directory, 'data'),
    httpPort: 0,
    addresses: ['127.0.0.1'],
    faults: { seed: 3, transactionConflicts: 1 },
    onLog: (line) => log.push(line),
  })
  t.after(async () => {
    await cloud.stop()
    rmSync(directory, { recursive: true })
  })
  assert.ok(log.includes('[faults] {"seed":3,"transactionConflicts":1}'))
  assert.equal(await cloud.invoke('ApiFunction', { pk: 'mine' }), 'TransactionConflict')
  const Put = { TableName: cloud.outputs.TableName, Item: { pk: { S: 'mine' }, sk: { S: '-' } } }
  const client = new DynamoDBClient(cloud.clientConfig())
  await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] }))
})

const wrong: readonly (readonly [options: FaultOptions, message: RegExp])[] = [
  [{ seed: 1.5 }, /seed must be an integer/],
  [{ seed: 1, throttling: 1.1 }, /throttling must be from 0 to 1/],
  [{ seed: 1, staleReads: -0.1 }, /staleReads must be from 0 to 1/],
  [{ seed: 1, sqsDuplicates: Number.NaN }, /sqsDuplicates must be from 0 to 1/],
  [{ seed: 1, indexLagMs: -1 }, /indexLagMs must not be negative/],
]

for (const [options, message] of wrong) {
  test(`faults: ${JSON.stringify(options)} is refused by name`, () => {
    const surroundings = { operatorAccessKeyId: '', now: () => 0, onLog: () => {} }
    assert.throws(() => openFaults(options, surroundings), message)
  })
}

interface Sequence {
  readonly fault: 'transactionConflicts' | 'throttling' | 'lostResponses'
  readonly call: (client: DynamoDBClient) => Promise<unknown>
}

const sequences: readonly Sequence[] = [
  { fault: 'transactionConflicts', call: (client) => transact(client, [newKey(), newKey()]) },
  { fault: 'throttling', call: (client) => put(client, newKey()) },
  { fault: 'lostResponses', call: (client) => put(client, newKey()) },
]

for (const { fault, call } of sequences) {
  test(`${fault}: the same seed gives the same sequence, another seed another`, async (t) => {
    const outcomes = async (seed: number): Promise<readonly string[]> => {
      const { role } = await clouds.open(t, { seed, [fault]: 0.5 })
      const seen: string[] = []
      for (let n = 0; n < 24; n++) seen.push(outcomeOf(await caught(call(role))))
      return seen
    }
    const [first, again, other] = [await outcomes(7), await outcomes(7), await outcomes(8)]
    assert.deepEqual(again, first)
    assert.notDeepEqual(other, first)
    assert.ok(new Set(first).size > 1)
  })
}

/** Says also which action was in conflict. */
function outcomeOf(error: unknown): string {
  return error instanceof TransactionCanceledException ? error.message : nameOf(error)
}

function nameOf(error: unknown): string {
  if (error === undefined) return 'done'
  if (error instanceof InternalServerError) return error.name
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

/** The first seed whose faults of that kind, of a share of one half, begin so. */
function seedWith(fault: string, decisions: readonly boolean[]): number {
  return seedWhere((seed) => begins(seed, fault, decisions))
}

function begins(seed: number, fault: string, decisions: readonly boolean[]): boolean {
  const happens = seededChance(seed, fault, 0.5)
  return decisions.every((decision) => happens() === decision)
}

function seedWhere(fits: (seed: number) => boolean): number {
  let seed = 0
  while (!fits(seed)) seed += 1
  return seed
}
