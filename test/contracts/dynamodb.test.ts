import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { openContract } from './dynamodb-contract.ts'

// What Postern relies on, as documented by AWS. Left out on purpose, because the local engine differs and Postern
// does without: expiry by time to live really deleting (the local cloud sweeps), streams, ReturnValues=ALL_OLD of an
// update that creates an item, SET below an attribute that is NULL, ARNs, and when a page that ends with the last
// item carries a LastEvaluatedKey.

let contract: Awaited<ReturnType<typeof openContract>>
before(async () => {
  contract = await openContract()
})
after(() => contract.close())

const isNew = { ConditionExpression: 'attribute_not_exists(pk)' }

test('put: attribute_not_exists lets the first writer through and answers the second what is there', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, writer: 1 }, isNew)
  const second = contract.put(
    { ...key, writer: 2 },
    { ...isNew, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
  )
  const error = await second.catch((reason: unknown) => reason)
  assert.ok(error instanceof ConditionalCheckFailedException)
  assert.deepEqual(unmarshall(error.Item ?? {}), { ...key, writer: 1 })
  assert.deepEqual(await contract.get(key), { ...key, writer: 1 })
})

test('put: a failed condition answers no item unless it was asked for', async () => {
  const key = contract.newKey()
  await contract.put(key)
  const error = await contract.put(key, isNew).catch((reason: unknown) => reason)
  assert.ok(error instanceof ConditionalCheckFailedException)
  assert.equal(error.Item, undefined)
})

test('put: replaces the whole item', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, old: 1 })
  await contract.put({ ...key, new: 1 })
  assert.deepEqual(await contract.get(key), { ...key, new: 1 })
})

test('put: of 20 writers of one new key exactly one wins', async () => {
  const key = contract.newKey()
  const writers = Array.from({ length: 20 }, (_, writer) => contract.put({ ...key, writer }, isNew))
  const won = (await Promise.allSettled(writers)).map(({ status }) => status === 'fulfilled')
  assert.equal(won.filter(Boolean).length, 1)
  assert.deepEqual(await contract.get(key), { ...key, writer: won.indexOf(true) })
})

test('update: of 20 claims of one item exactly one wins', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, state: 'waiting', attempts: 0 })
  const claims = Array.from({ length: 20 }, (_, owner) =>
    contract.update(
      key,
      { one: 1, zero: 0, attempting: 'attempting', waiting: 'waiting', owner },
      {
        UpdateExpression: 'SET #state = :attempting, attempts = :one, #owner = :owner',
        ConditionExpression: '#state = :waiting AND attempts = :zero',
        ExpressionAttributeNames: { '#state': 'state', '#owner': 'owner' },
      },
    ),
  )
  const won = (await Promise.allSettled(claims)).map(({ status }) => status === 'fulfilled')
  assert.equal(won.filter(Boolean).length, 1)
  assert.equal((await contract.get(key))?.owner, won.indexOf(true))
})

test('update: ALL_NEW answers the whole item as it is now', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, kept: 'yes', n: 1 })
  const { Attributes } = await contract.update(
    key,
    { two: 2 },
    { UpdateExpression: 'SET n = :two', ReturnValues: 'ALL_NEW' },
  )
  assert.deepEqual(unmarshall(Attributes ?? {}), { ...key, kept: 'yes', n: 2 })
})

test('update: a condition that fails changes nothing and answers ALL_OLD', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, n: 1 })
  const change = contract.update(
    key,
    { one: 1 },
    {
      UpdateExpression: 'SET n = :one REMOVE m',
      ConditionExpression: 'n > :one',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  )
  const error = await change.catch((reason: unknown) => reason)
  assert.ok(error instanceof ConditionalCheckFailedException)
  assert.deepEqual(unmarshall(error.Item ?? {}), { ...key, n: 1 })
})

test('update: paths reach into maps, several of one map in one update', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, results: { 2: { status: 'running', at: 5 } } })
  await contract.update(
    key,
    { r: { status: 'done' }, s: 'interrupted' },
    {
      UpdateExpression: 'SET #results.#1 = :r, #results.#2.#status = :s',
      ExpressionAttributeNames: { '#results': 'results', '#1': '1', '#2': '2', '#status': 'status' },
    },
  )
  const results = { 1: { status: 'done' }, 2: { status: 'interrupted', at: 5 } }
  assert.deepEqual((await contract.get(key))?.results, results)
})

test('update: a path into a map that is not there is refused', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, results: {} })
  const change = contract.update(key, { s: 'x' }, { UpdateExpression: 'SET results.a.b = :s' })
  await assert.rejects(change, { name: 'ValidationException' })
})

test('update: conditions on nested paths and IN hold or fail by their values', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, results: { 1: { status: 'running' } } })
  const changeIfIn = (a: string, b: string) =>
    contract.update(
      key,
      { a, b, n: 1 },
      {
        UpdateExpression: 'SET n = :n',
        ConditionExpression: 'attribute_exists(pk) AND results.#1.#status IN (:a, :b)',
        ExpressionAttributeNames: { '#1': '1', '#status': 'status' },
      },
    )
  await changeIfIn('interrupted', 'running')
  await assert.rejects(changeIfIn('done', 'late'), ConditionalCheckFailedException)
})

test('update: creates an item that does not exist, of its key and what is set', async () => {
  const key = contract.newKey()
  await contract.update(key, { n: 1 }, { UpdateExpression: 'SET n = :n' })
  assert.deepEqual(await contract.get(key), { ...key, n: 1 })
})

interface UpdateCase {
  readonly rule: string
  readonly before: Readonly<Record<string, unknown>>
  readonly expression: string
  readonly values: Readonly<Record<string, unknown>>
  readonly after: Readonly<Record<string, unknown>>
}

const updates: readonly UpdateCase[] = [
  {
    rule: 'ADD counts up from nothing',
    before: {},
    expression: 'ADD n :v',
    values: { v: 2 },
    after: { n: 2 },
  },
  {
    rule: 'ADD adds to a number',
    before: { n: 2 },
    expression: 'ADD n :v',
    values: { v: -3 },
    after: { n: -1 },
  },
  {
    rule: 'ADD puts elements into a set',
    before: { s: new Set(['a']) },
    expression: 'ADD s :v',
    values: { v: new Set(['a', 'b']) },
    after: { s: new Set(['a', 'b']) },
  },
  {
    rule: 'if_not_exists keeps what is there',
    before: { n: 2 },
    expression: 'SET n = if_not_exists(n, :v)',
    values: { v: 9 },
    after: { n: 2 },
  },
  {
    rule: 'if_not_exists takes the value where nothing is',
    before: {},
    expression: 'SET n = if_not_exists(n, :v)',
    values: { v: 9 },
    after: { n: 9 },
  },
  {
    rule: 'list_append joins lists in their order',
    before: { l: [1] },
    expression: 'SET l = list_append(l, :v)',
    values: { v: [2, 3] },
    after: { l: [1, 2, 3] },
  },
  {
    rule: 'SET computes with the values before the update',
    before: { a: 1, b: 5 },
    expression: 'SET a = b, b = a + :v',
    values: { v: 1 },
    after: { a: 5, b: 2 },
  },
  {
    rule: 'REMOVE drops attributes, and what is not there without complaint',
    before: { a: 1 },
    expression: 'SET b = :v REMOVE a, c',
    values: { v: 1 },
    after: { b: 1 },
  },
]

for (const { rule, before: stored, expression, values, after: expected } of updates) {
  test(`update: ${rule}`, async () => {
    const key = contract.newKey()
    await contract.put({ ...key, ...stored })
    await contract.update(key, values, { UpdateExpression: expression })
    assert.deepEqual(await contract.get(key), { ...key, ...expected })
  })
}

test('update: reserved words and names with dots go through ExpressionAttributeNames', async () => {
  const key = contract.newKey()
  await contract.update(
    key,
    { v: 1 },
    {
      UpdateExpression: 'SET #size = :v, #dotted = :v',
      ExpressionAttributeNames: { '#size': 'size', '#dotted': 'a.b' },
    },
  )
  assert.deepEqual(await contract.get(key), { ...key, size: 1, 'a.b': 1 })
})

test('delete: a condition guards it, and deleting what is not there is fine', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, attempts: 1 })
  const input = { TableName: contract.table, Key: marshall(key) }
  const guarded = new DeleteItemCommand({
    ...input,
    ConditionExpression: 'attempts = :none',
    ExpressionAttributeValues: { ':none': { N: '0' } },
  })
  await assert.rejects(contract.client.send(guarded), ConditionalCheckFailedException)
  await contract.client.send(new DeleteItemCommand(input))
  await contract.client.send(new DeleteItemCommand(input))
  assert.equal(await contract.get(key), undefined)
})

interface Refusal {
  readonly rule: string
  readonly run: () => Promise<unknown>
}

const table = () => contract.table
const padding = (bytes: number) => ({ pk: { S: 'p' }, sk: { S: 's' }, a: { S: 'x'.repeat(bytes) } })

const refusals: readonly Refusal[] = [
  {
    rule: 'a reserved word as it is in an expression',
    run: () => contract.update(contract.newKey(), { v: 1 }, { UpdateExpression: 'SET size = :v' }),
  },
  {
    rule: 'a value that no expression uses',
    run: () => contract.update(contract.newKey(), { v: 1, w: 2 }, { UpdateExpression: 'SET a = :v' }),
  },
  {
    rule: 'a name that no expression uses',
    run: () => contract.put(contract.newKey(), { ...isNew, ExpressionAttributeNames: { '#a': 'a' } }),
  },
  { rule: 'two changes of one path', run: () => twoPaths('SET a = :v, a = :v') },
  { rule: 'changes of a path and of what is below it', run: () => twoPaths('SET a = :v, a.b = :v') },
  { rule: 'an empty string as partition key', run: () => contract.put({ pk: '', sk: 's' }) },
  { rule: 'an empty string as sort key', run: () => contract.put({ pk: 'p', sk: '' }) },
  { rule: 'an item without its sort key', run: () => contract.put({ pk: 'p' }) },
  {
    rule: 'a change of a key attribute',
    run: () => contract.update(contract.newKey(), { v: 'x' }, { UpdateExpression: 'SET sk = :v' }),
  },
  {
    rule: 'an empty string as index key',
    run: () => contract.put({ ...contract.newKey(), due: '', dueAt: 'x' }),
  },
  {
    rule: 'a number as an index key that is a string',
    run: () => contract.put({ ...contract.newKey(), due: 1, dueAt: 'x' }),
  },
  {
    rule: 'a consistent read of an index',
    run: () =>
      contract.query(
        { d: 'x' },
        { IndexName: 'due', KeyConditionExpression: 'due = :d', ConsistentRead: true },
      ),
  },
  {
    rule: 'a query without an equality on the partition key',
    run: () => contract.query({ s: 'x' }, { KeyConditionExpression: 'sk = :s' }),
  },
  {
    rule: 'a number of 39 digits',
    run: () =>
      contract.client.send(
        new PutItemCommand({ TableName: table(), Item: { ...padding(1), n: { N: '1'.repeat(39) } } }),
      ),
  },
  {
    rule: 'an item beyond 400 KB',
    run: () => contract.client.send(new PutItemCommand({ TableName: table(), Item: padding(400 * 1024) })),
  },
  {
    rule: 'an update that makes an item larger than 400 KB',
    run: async () => {
      const key = contract.newKey()
      await contract.put({ ...key, a: 'x'.repeat(300_000) })
      await contract.update(key, { v: 'x'.repeat(200_000) }, { UpdateExpression: 'SET b = :v' })
    },
  },
  {
    rule: 'a batch of more than 100 keys',
    run: () => batchGet(Array.from({ length: 101 }, (_, n) => ({ pk: 'p', sk: String(n) }))),
  },
  {
    rule: 'a batch that names a key twice',
    run: () =>
      batchGet([
        { pk: 'p', sk: 's' },
        { pk: 'p', sk: 's' },
      ]),
  },
]

const twoPaths = (UpdateExpression: string) =>
  contract.update(contract.newKey(), { v: 1 }, { UpdateExpression })

async function batchGet(keys: readonly object[]) {
  const Keys = keys.map((key) => marshall(key))
  const RequestItems = { [table()]: { Keys, ConsistentRead: true } }
  const answer = await contract.client.send(new BatchGetItemCommand({ RequestItems }))
  return { items: answer.Responses?.[table()]?.map((item) => unmarshall(item)), left: answer.UnprocessedKeys }
}

for (const { rule, run } of refusals) {
  test(`refused: ${rule}`, () => assert.rejects(run, { name: 'ValidationException' }))
}

test('item: exactly 400 KB of names and values is taken', async () => {
  const key = contract.newKey()
  const others = Object.entries(key).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  const a = 'x'.repeat(400 * 1024 - others - 1)
  await contract.put({ ...key, a })
  assert.equal((await contract.get(key))?.a, a)
})

test('item: binary attributes come back byte for byte', async () => {
  const key = contract.newKey()
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  await contract.put({ ...key, bytes, empty: new Uint8Array(0) })
  const item = await contract.get(key)
  assert.deepEqual([item?.bytes, item?.empty], [bytes, new Uint8Array(0)])
})

for (const digits of [
  '12345678901234567890123456789012345678',
  '-0.12345678901234567890123456789012345678',
  '9007199254740991',
]) {
  test(`item: the number ${digits} keeps all its digits`, async () => {
    const Key = marshall(contract.newKey())
    await contract.client.send(new PutItemCommand({ TableName: table(), Item: { ...Key, n: { N: digits } } }))
    const { Item } = await contract.client.send(new GetItemCommand({ TableName: table(), Key }))
    assert.equal(Item?.n?.N, digits)
  })
}

test('item: text of any script, empty text, nested lists and maps come back as they were', async () => {
  const key = contract.newKey()
  const item = { ...key, text: 'Grüße 日本 🙂\u0000', none: '', list: [1, ['a', null, true], { m: {} }] }
  await contract.put(item)
  assert.deepEqual(await contract.get(key), item)
})

test('batch get: answers consistently what exists, in any order, and an empty map of unprocessed keys', async () => {
  const { pk } = contract.newKey()
  const keys = Array.from({ length: 100 }, (_, n) => ({ pk, sk: String(n).padStart(3, '0') }))
  await Promise.all(keys.slice(0, 50).map((key) => contract.put(key)))
  const { items = [], left } = await batchGet(keys)
  assert.deepEqual(
    items.toSorted((a, b) => String(a.sk).localeCompare(String(b.sk))),
    keys.slice(0, 50),
  )
  assert.deepEqual(left, {})
})

test('batch get: what goes beyond 16 MB is left unprocessed, in the shape of a request', async () => {
  const { pk } = contract.newKey()
  const keys = Array.from({ length: 45 }, (_, n) => ({ pk, sk: String(n) }))
  const a = 'x'.repeat(390_000)
  await Promise.all(keys.map((key) => contract.put({ ...key, a })))
  const { items = [], left = {} } = await batchGet(keys)
  assert.ok(items.length < keys.length)
  assert.equal(left[table()]?.Keys?.length, keys.length - items.length)
  const { Responses } = await contract.client.send(new BatchGetItemCommand({ RequestItems: left }))
  assert.equal(Responses?.[table()]?.length, keys.length - items.length)
})

test('time to live: the attribute is accepted and described', async () => {
  const TimeToLiveSpecification = { AttributeName: 'expires', Enabled: true }
  await contract.client.send(new UpdateTimeToLiveCommand({ TableName: table(), TimeToLiveSpecification }))
  const command = new DescribeTimeToLiveCommand({ TableName: table() })
  const { TimeToLiveDescription } = await contract.client.send(command)
  assert.equal(TimeToLiveDescription?.AttributeName, 'expires')
  assert.match(TimeToLiveDescription?.TimeToLiveStatus ?? '', /^ENABL(ED|ING)$/)
})
