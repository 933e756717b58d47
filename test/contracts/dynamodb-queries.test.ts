import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { QueryCommandInput } from '@aws-sdk/client-dynamodb'
import { eventually } from '../../scripts/eventually.ts'
import { openContract } from './dynamodb-contract.ts'

let contract: Awaited<ReturnType<typeof openContract>>
before(async () => {
  contract = await openContract()
})
after(() => contract.close())

const SORTS = ['a1', 'a2', 'a3', 'b1', 'b2'] as const

async function fillPartition(): Promise<string> {
  const { pk } = contract.newKey()
  await Promise.all(SORTS.map((sk) => contract.put({ pk, sk, more: 'x' })))
  return pk
}

interface Range {
  readonly rule: string
  readonly condition: string
  readonly values: Readonly<Record<string, string>>
  readonly rest?: Partial<QueryCommandInput>
  readonly expected: readonly string[]
}

const ranges: readonly Range[] = [
  { rule: 'a whole partition, in order', condition: 'pk = :p', values: {}, expected: SORTS },
  { rule: 'one key', condition: 'pk = :p AND sk = :a', values: { a: 'a2' }, expected: ['a2'] },
  { rule: '<', condition: 'pk = :p AND sk < :a', values: { a: 'a2' }, expected: ['a1'] },
  { rule: '<=', condition: 'pk = :p AND sk <= :a', values: { a: 'a2' }, expected: ['a1', 'a2'] },
  { rule: '>', condition: 'pk = :p AND sk > :a', values: { a: 'b1' }, expected: ['b2'] },
  { rule: '>=', condition: 'pk = :p AND sk >= :a', values: { a: 'b1' }, expected: ['b1', 'b2'] },
  {
    rule: 'BETWEEN, both ends included',
    condition: 'pk = :p AND sk BETWEEN :a AND :b',
    values: { a: 'a2', b: 'b1' },
    expected: ['a2', 'a3', 'b1'],
  },
  {
    rule: 'begins_with',
    condition: 'pk = :p AND begins_with(sk, :a)',
    values: { a: 'b' },
    expected: ['b1', 'b2'],
  },
  {
    rule: 'descending',
    condition: 'pk = :p AND sk < :a',
    values: { a: 'b1' },
    rest: { ScanIndexForward: false },
    expected: ['a3', 'a2', 'a1'],
  },
  {
    rule: 'the last ones, by a limit on descending order',
    condition: 'pk = :p',
    values: {},
    rest: { ScanIndexForward: false, Limit: 2 },
    expected: ['b2', 'b1'],
  },
  { rule: 'nothing', condition: 'pk = :p AND sk > :a', values: { a: 'c' }, expected: [] },
]

for (const { rule, condition, values, rest = {}, expected } of ranges) {
  test(`query: ${rule}`, async () => {
    const p = await fillPartition()
    const input = { KeyConditionExpression: condition, ConsistentRead: true, ...rest }
    const { items } = await contract.query({ p, ...values }, input)
    assert.deepEqual(
      items,
      expected.map((sk) => ({ pk: p, sk, more: 'x' })),
    )
  })
}

test('query: sort keys are ordered by their UTF-8 bytes', async () => {
  const { pk } = contract.newKey()
  const sorts = ['Z', 'a', 'é', '\uffee', '🙂']
  await Promise.all(sorts.map((sk) => contract.put({ pk, sk })))
  const { items } = await contract.query(
    { p: pk },
    { KeyConditionExpression: 'pk = :p', ConsistentRead: true },
  )
  assert.deepEqual(
    items.map(({ sk }) => sk),
    sorts,
  )
})

for (const ScanIndexForward of [true, false]) {
  test(`query: pages ${ScanIndexForward ? 'up' : 'down'} meet every item once`, async () => {
    const p = await fillPartition()
    const seen: unknown[] = []
    let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey']
    do {
      const input = {
        KeyConditionExpression: 'pk = :p',
        ConsistentRead: true,
        Limit: 2,
        ScanIndexForward,
        ExclusiveStartKey,
      }
      const page = await contract.query({ p }, input)
      assert.ok(page.items.length <= 2)
      seen.push(...page.items.map(({ sk }) => sk))
      ExclusiveStartKey = page.next
    } while (ExclusiveStartKey)
    assert.deepEqual(seen, ScanIndexForward ? SORTS : SORTS.toReversed())
  })
}

test('query: a page ends at 1 MB and says where to go on', async () => {
  const { pk } = contract.newKey()
  const a = 'x'.repeat(300_000)
  await Promise.all(['1', '2', '3', '4', '5'].map((sk) => contract.put({ pk, sk, a })))
  const input = { KeyConditionExpression: 'pk = :p', ConsistentRead: true }
  const first = await contract.query({ p: pk }, input)
  assert.ok(first.items.length < 5 && first.next)
  const second = await contract.query({ p: pk }, { ...input, ExclusiveStartKey: first.next })
  assert.equal(first.items.length + second.items.length, 5)
})

/** Items of an index partition; indexes follow their table late. */
async function indexed(due: string, rest: Partial<QueryCommandInput> = {}) {
  const input = { IndexName: 'due', KeyConditionExpression: 'due = :d', ...rest }
  return (await contract.query({ d: due }, input)).items
}

async function indexShows(due: string, sorts: readonly string[]): Promise<void> {
  await eventually(`the index shows ${sorts}`, async () =>
    isDeepStrictEqual(
      (await indexed(due)).map(({ sk }) => sk),
      sorts,
    ),
  )
}

test('index: holds nothing but the keys of table and index (KEYS_ONLY)', async () => {
  const due = randomUUID()
  const item = { ...contract.newKey(), due, dueAt: '1' }
  await contract.put({ ...item, more: 'x' })
  await indexShows(due, [item.sk])
  assert.deepEqual(await indexed(due), [item])
})

test('index: is sparse: an item without both its keys is not in it', async () => {
  const due = randomUUID()
  const { pk } = contract.newKey()
  await contract.put({ pk, sk: 'only due', due })
  await contract.put({ pk, sk: 'both', due, dueAt: '1' })
  await indexShows(due, ['both'])
})

test('index: an item leaves it when its keys are removed, and stays in the table', async () => {
  const [key, due] = [contract.newKey(), randomUUID()]
  await contract.put({ ...key, due, dueAt: '1' })
  await indexShows(due, [key.sk])
  await contract.update(key, {}, { UpdateExpression: 'REMOVE due, dueAt' })
  await indexShows(due, [])
  assert.deepEqual(await contract.get(key), key)
})

test('index: an item comes into it when it gets its keys', async () => {
  const [key, due] = [contract.newKey(), randomUUID()]
  await contract.put(key)
  await contract.update(key, { d: due, a: '1' }, { UpdateExpression: 'SET due = :d, dueAt = :a' })
  await indexShows(due, [key.sk])
})

test('index: an item moves when its sort key changes', async () => {
  const due = randomUUID()
  const { pk } = contract.newKey()
  await contract.put({ pk, sk: 'first', due, dueAt: '1' })
  await contract.put({ pk, sk: 'second', due, dueAt: '2' })
  await indexShows(due, ['first', 'second'])
  await contract.update({ pk, sk: 'first' }, { a: '3' }, { UpdateExpression: 'SET dueAt = :a' })
  await indexShows(due, ['second', 'first'])
})

test('index: an item leaves it when it is replaced by one without the keys', async () => {
  const [key, due] = [contract.newKey(), randomUUID()]
  await contract.put({ ...key, due, dueAt: '1' })
  await indexShows(due, [key.sk])
  await contract.put(key)
  await indexShows(due, [])
})

test('index: ranges, limits and descending order go by its own sort key', async () => {
  const due = randomUUID()
  const { pk } = contract.newKey()
  // The other way round in the table.
  await Promise.all([1, 2, 3, 4].map((n) => contract.put({ pk, sk: String(9 - n), due, dueAt: String(n) })))
  await indexShows(due, ['8', '7', '6', '5'])
  const upTo = { IndexName: 'due', KeyConditionExpression: 'due = :d AND dueAt <= :u' }
  const sorts = async (rest: Partial<QueryCommandInput>) =>
    (await contract.query({ d: due, u: '3' }, { ...upTo, ...rest })).items.map(({ sk }) => sk)
  assert.deepEqual(await sorts({}), ['8', '7', '6'])
  assert.deepEqual(await sorts({ Limit: 2 }), ['8', '7'])
  assert.deepEqual(await sorts({ Limit: 2, ScanIndexForward: false }), ['6', '7'])
})

test('index: pages go on after the last item, also among items of one sort key', async () => {
  const due = randomUUID()
  const { pk } = contract.newKey()
  const sorts = ['1', '2', '3', '4', '5']
  await Promise.all(sorts.map((sk) => contract.put({ pk, sk, due, dueAt: 'same' })))
  await eventually('the index shows all', async () => (await indexed(due)).length === 5)
  const seen: unknown[] = []
  let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey']
  do {
    const input = { IndexName: 'due', KeyConditionExpression: 'due = :d', Limit: 2, ExclusiveStartKey }
    const page = await contract.query({ d: due }, input)
    seen.push(...page.items.map(({ sk }) => sk))
    ExclusiveStartKey = page.next
  } while (ExclusiveStartKey)
  assert.deepEqual(seen.toSorted(), sorts)
})

test('index: a page may begin after an item that has left', async () => {
  const due = randomUUID()
  const { pk } = contract.newKey()
  await Promise.all(['1', '2', '3'].map((n) => contract.put({ pk, sk: n, due, dueAt: n })))
  await indexShows(due, ['1', '2', '3'])
  const first = await contract.query(
    { d: due },
    { IndexName: 'due', KeyConditionExpression: 'due = :d', Limit: 1 },
  )
  await contract.update({ pk, sk: '1' }, {}, { UpdateExpression: 'REMOVE due, dueAt' })
  await indexShows(due, ['2', '3'])
  const rest = await indexed(due, { ExclusiveStartKey: first.next })
  assert.deepEqual(
    rest.map(({ sk }) => sk),
    ['2', '3'],
  )
})
