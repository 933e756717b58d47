import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { startFaultyClouds, table } from './faulty-cloud.ts'

// Index lag and stale reads. The clock stands still, so that nothing becomes visible by chance.

let clouds: Awaited<ReturnType<typeof startFaultyClouds>>
before(async () => {
  clouds = await startFaultyClouds()
})
after(() => clouds.close())

type Plain = Readonly<Record<string, unknown>>

const lagging = { seed: 1, indexLagMs: 2_000 }
const key = (sk: string) => ({ pk: randomUUID(), sk })
const at = ({ pk, sk }: Plain) => ({ TableName: table, Key: marshall({ pk, sk }) })

const put = (client: DynamoDBClient, item: Plain, condition = {}) =>
  client.send(new PutItemCommand({ TableName: table, Item: marshall(item), ...condition }))

const unindex = (client: DynamoDBClient, item: Plain) =>
  client.send(new UpdateItemCommand({ ...at(item), UpdateExpression: 'REMOVE due, dueAt' }))

const setDueAt = (client: DynamoDBClient, item: Plain, dueAt: string) =>
  client.send(
    new UpdateItemCommand({
      ...at(item),
      UpdateExpression: 'SET dueAt = :a',
      ExpressionAttributeValues: { ':a': { S: dueAt } },
    }),
  )

async function read(client: DynamoDBClient, item: Plain, ConsistentRead = false) {
  const { Item } = await client.send(new GetItemCommand({ ...at(item), ConsistentRead }))
  return Item && unmarshall(Item)
}

/** All pages of a query of the index, with their sizes. */
async function queryPages(client: DynamoDBClient, values: Plain, rest: Partial<QueryCommandInput> = {}) {
  const named = Object.entries(values).map(([name, value]) => [`:${name}`, value])
  const items: Plain[] = []
  const sizes: number[] = []
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined
  do {
    const input: QueryCommandInput = {
      TableName: table,
      IndexName: 'due',
      KeyConditionExpression: 'due = :d',
      ExpressionAttributeValues: marshall(Object.fromEntries(named)),
      ...rest,
      ExclusiveStartKey,
    }
    const page = await client.send(new QueryCommand(input))
    items.push(...(page.Items ?? []).map((item) => unmarshall(item)))
    sizes.push(page.Count ?? -1)
    assert.ok(sizes.length < 50, 'the pages come to an end')
    ExclusiveStartKey = page.LastEvaluatedKey
  } while (ExclusiveStartKey)
  return { items, sizes }
}

async function dueAts(client: DynamoDBClient, d: string): Promise<readonly unknown[]> {
  return (await queryPages(client, { d })).items.map(({ dueAt }) => dueAt)
}

interface Change {
  readonly rule: string
  /** `dueAt` before and after the change; undefined where the item is not in the index. */
  readonly before?: string
  readonly after?: string
  readonly run: (client: DynamoDBClient, item: Plain) => Promise<unknown>
}

const changes: readonly Change[] = [
  { rule: 'an item put is hidden', after: '1', run: (client, item) => put(client, { ...item, dueAt: '1' }) },
  {
    rule: 'an item of a batch is hidden',
    after: '1',
    run: (client, item) => {
      const Item = marshall({ ...item, dueAt: '1' })
      const RequestItems = { [table]: [{ PutRequest: { Item } }] }
      return client.send(new BatchWriteItemCommand({ RequestItems }))
    },
  },
  {
    rule: 'an item of a transaction is hidden',
    after: '1',
    run: (client, item) => {
      const Item = marshall({ ...item, dueAt: '1' })
      const TransactItems = [{ Put: { TableName: table, Item } }]
      return client.send(new TransactWriteItemsCommand({ TransactItems }))
    },
  },
  { rule: 'an item that left is still shown', before: '1', run: unindex },
  {
    rule: 'a deleted item is still shown',
    before: '1',
    run: (client, item) => client.send(new DeleteItemCommand(at(item))),
  },
  {
    rule: 'an item that moved is shown at its old place',
    before: '1',
    after: '2',
    run: (client, item) => setDueAt(client, item, '2'),
  },
]

for (const { rule, before: dueAtBefore, after: dueAtAfter, run } of changes) {
  test(`index lag: until the lag is over, ${rule}`, async (t) => {
    const { role, operator, clock } = await clouds.open(t, lagging)
    const item = { ...key('item'), due: randomUUID() }
    if (dueAtBefore) await put(operator, { ...item, dueAt: dueAtBefore })
    const shown = (dueAt: string | undefined) => (dueAt ? [dueAt] : [])
    await run(role, item)
    assert.deepEqual(await dueAts(role, item.due), shown(dueAtBefore))
    assert.deepEqual(await dueAts(operator, item.due), shown(dueAtAfter))
    clock.nowMs += lagging.indexLagMs
    assert.deepEqual(await dueAts(role, item.due), shown(dueAtAfter))
  })
}

test('index lag: an old entry has the keys only, as the index projects them', async (t) => {
  const { role, operator } = await clouds.open(t, lagging)
  const item = { ...key('item'), due: randomUUID(), dueAt: '1' }
  await put(operator, { ...item, more: 'x' })
  await unindex(role, item)
  assert.deepEqual((await queryPages(role, { d: item.due })).items, [item])
})

test('index lag: the table itself shows every write at once', async (t) => {
  const { role } = await clouds.open(t, lagging)
  const item = { ...key('item'), due: randomUUID(), dueAt: '1' }
  await put(role, item)
  assert.deepEqual([await read(role, item), await read(role, item, true)], [item, item])
})

test('index lag: each write has a lag of its own', async (t) => {
  const { role, clock } = await clouds.open(t, lagging)
  const due = randomUUID()
  for (let n = 0; n < 20; n++) await put(role, { ...key('item'), due, dueAt: String(n) })
  clock.nowMs += lagging.indexLagMs / 2
  const { length } = await dueAts(role, due)
  assert.ok(length > 0 && length < 20, `${length} of 20 after half the time`)
})

test('index lag: the writes of one item become visible in their order', async (t) => {
  const { role, clock } = await clouds.open(t, lagging)
  const item = { ...key('item'), due: randomUUID(), dueAt: '0' }
  await put(role, item)
  for (const dueAt of ['1', '2', '3']) await setDueAt(role, item, dueAt)
  assert.deepEqual(await dueAts(role, item.due), [])
  const seen: unknown[] = []
  for (let step = 0; step <= 40; step++) {
    seen.push(...(await dueAts(role, item.due)))
    clock.nowMs += lagging.indexLagMs / 40
  }
  assert.deepEqual(seen, seen.toSorted())
  assert.equal(seen.at(-1), '3')
})

test('index lag: a refused write hides nothing', async (t) => {
  const { role, operator } = await clouds.open(t, lagging)
  const item = { ...key('item'), due: randomUUID(), dueAt: '1' }
  await put(operator, item)
  const again = put(role, item, { ConditionExpression: 'attribute_not_exists(pk)' })
  await assert.rejects(again, ConditionalCheckFailedException)
  await setDueAt(operator, item, '2')
  assert.deepEqual(await dueAts(role, item.due), ['2'])
})

const conditions: readonly (readonly [condition: string, values: Plain])[] = [
  ['due = :d', {}],
  ['(due = :d) AND (dueAt = :a)', { a: 'b2' }],
  ['due = :d AND dueAt < :a', { a: 'b2' }],
  ['due = :d AND dueAt<=:a', { a: 'b2' }],
  ['dueAt > :a AND due = :d', { a: 'b2' }],
  ['due = :d and dueAt >= :a', { a: 'b2' }],
  ['due = :d AND dueAt BETWEEN :a AND :b', { a: 'a3', b: 'b2' }],
  ['dueAt between :a and :b AND due = :d', { a: 'a3', b: 'b2' }],
  ['due = :d AND begins_with(dueAt, :a)', { a: 'b' }],
  ['due = :d AND begins_with ( dueAt , :a )', { a: 'b' }],
]

const dueAtsBefore = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1']

/** Seven items in an index partition, and then every kind of change at once. */
async function fillAndChange(role: DynamoDBClient, operator: DynamoDBClient, due: string) {
  const { pk } = key('')
  const items = dueAtsBefore.map((dueAt, n) => ({ pk, sk: String(9 - n), due, dueAt }))
  for (const item of items) await put(operator, item)
  const change = async () => {
    const [first = {}, second = {}, third = {}, , fifth = {}] = items
    await unindex(role, first)
    await setDueAt(role, second, 'b4')
    await role.send(new DeleteItemCommand(at(third)))
    await setDueAt(role, fifth, 'a0')
    await put(role, { pk, sk: '0', due, dueAt: 'b0' })
  }
  return change
}

for (const [condition, values] of conditions) {
  for (const [limit, ScanIndexForward] of [
    [undefined, true],
    [1, true],
    [2, false],
    [3, true],
  ] as const) {
    const order = `${limit ?? 'no'} limit, ${ScanIndexForward ? 'up' : 'down'}`
    test(`index lag: ${condition} (${order}) answers as before the writes`, async (t) => {
      const { role, operator, clock } = await clouds.open(t, lagging)
      const due = randomUUID()
      const change = await fillAndChange(role, operator, due)
      const rest = { KeyConditionExpression: condition, ScanIndexForward, ...(limit && { Limit: limit }) }
      const query = (client: DynamoDBClient) => queryPages(client, { d: due, ...values }, rest)
      const old = await query(operator)
      await change()
      const seen = await query(role)
      assert.deepEqual(seen.items, old.items)
      assert.ok(seen.sizes.every((size) => size <= (limit ?? 7)))
      clock.nowMs += lagging.indexLagMs
      assert.deepEqual(await query(role), await query(operator))
    })
  }
}

test('index lag: a query by names of attributes answers as before the writes', async (t) => {
  const { role, operator } = await clouds.open(t, lagging)
  const due = randomUUID()
  const change = await fillAndChange(role, operator, due)
  await change()
  const KeyConditionExpression = '#due = :d AND #dueAt <= :a'
  const ExpressionAttributeNames = { '#due': 'due', '#dueAt': 'dueAt' }
  const { items } = await queryPages(
    role,
    { d: due, a: 'b1' },
    { KeyConditionExpression, ExpressionAttributeNames },
  )
  assert.deepEqual(
    items.map(({ dueAt }) => dueAt),
    dueAtsBefore.slice(0, 4),
  )
})

test('index lag: a query that it cannot follow is refused by name', async (t) => {
  const { role } = await clouds.open(t, lagging)
  const filtered = queryPages(role, { d: 'x' }, { FilterExpression: 'attribute_exists(more)' })
  await assert.rejects(filtered, /index lag does not know FilterExpression/)
})

test('index lag: the same seed gives the same lags, another seed others', async (t) => {
  const lags = async (seed: number) => {
    const { role, clock } = await clouds.open(t, { seed, indexLagMs: 2_000 })
    const due = randomUUID()
    for (let n = 0; n < 10; n++) await put(role, { ...key('item'), due, dueAt: String(n) })
    const shown: string[] = []
    for (let step = 0; step < 10; step++) {
      clock.nowMs += 200
      shown.push((await dueAts(role, due)).join())
    }
    return shown
  }
  const [first, again, other] = [await lags(7), await lags(7), await lags(8)]
  assert.deepEqual(again, first)
  assert.notDeepEqual(other, first)
})

const stale = { seed: 1, staleReads: 1 }

test('stale reads: an eventually consistent read answers the item as before its last write', async (t) => {
  const { role } = await clouds.open(t, stale)
  const item = key('item')
  await put(role, { ...item, n: 1 })
  assert.equal(await read(role, item), undefined)
  await put(role, { ...item, n: 2 })
  assert.deepEqual(await read(role, item), { ...item, n: 1 })
  await role.send(new DeleteItemCommand(at(item)))
  assert.deepEqual(await read(role, item), { ...item, n: 2 })
})

test('stale reads: a consistent read answers the item as last written', async (t) => {
  const { role } = await clouds.open(t, stale)
  const item = key('item')
  await put(role, item)
  assert.deepEqual(await read(role, item, true), item)
})

test('stale reads: after two seconds every read is fresh', async (t) => {
  const { role, clock } = await clouds.open(t, stale)
  const item = key('item')
  await put(role, item)
  clock.nowMs += 2_000
  assert.deepEqual(await read(role, item), item)
})

test('stale reads: the operator reads fresh', async (t) => {
  const { role, operator } = await clouds.open(t, stale)
  const item = key('item')
  await put(role, item)
  assert.deepEqual(await read(operator, item), item)
})

for (const ConsistentRead of [false, true]) {
  const what = ConsistentRead ? 'the new items when it is consistent' : 'the old items when it is not'
  test(`stale reads: a batch answers ${what}`, async (t) => {
    const { role, operator } = await clouds.open(t, stale)
    const [changed, made, untouched] = [key('changed'), key('made'), key('untouched')]
    for (const item of [changed, untouched]) await put(operator, { ...item, n: 1 })
    for (const item of [changed, made]) await put(role, { ...item, n: 2 })
    const Keys = [changed, made, untouched].map((item) => marshall(item))
    const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead } } })
    const { Responses } = await role.send(command)
    const found = (Responses?.[table] ?? []).map((item) => unmarshall(item))
    const expected = [
      { ...changed, n: ConsistentRead ? 2 : 1 },
      ...(ConsistentRead ? [{ ...made, n: 2 }] : []),
    ]
    assert.deepEqual(
      found.toSorted((a, b) => String(a.sk).localeCompare(String(b.sk))),
      [...expected, { ...untouched, n: 1 }],
    )
  })

  test(`stale reads: a query of the table answers ${what}`, async (t) => {
    const { role, operator } = await clouds.open(t, stale)
    const { pk } = key('')
    for (const sk of ['1', '2']) await put(operator, { pk, sk })
    await put(role, { pk, sk: '3' })
    await role.send(new DeleteItemCommand(at({ pk, sk: '1' })))
    const KeyConditionExpression = 'pk = :p'
    const { items } = await queryPages(
      role,
      { p: pk },
      { KeyConditionExpression, IndexName: undefined, ConsistentRead },
    )
    assert.deepEqual(
      items.map(({ sk }) => sk),
      ConsistentRead ? ['2', '3'] : ['1', '2'],
    )
  })
}

test('stale reads: the same seed gives the same sequence, another seed another', async (t) => {
  const freshness = async (seed: number) => {
    const { role } = await clouds.open(t, { seed, staleReads: 0.5 })
    const item = key('item')
    await put(role, item)
    const fresh: boolean[] = []
    for (let n = 0; n < 24; n++) fresh.push((await read(role, item)) !== undefined)
    return fresh
  }
  const [first, again, other] = [await freshness(7), await freshness(7), await freshness(8)]
  assert.deepEqual(again, first)
  assert.notDeepEqual(other, first)
})
