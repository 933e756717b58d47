import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { TransactionCanceledException, type TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { cancellationOf, openContract, valuesOf } from './dynamodb-contract.ts'

// The local engine runs one transaction after the other, AWS cancels those that meet: tests of concurrency allow both.

let contract: Awaited<ReturnType<typeof openContract>>
before(async () => {
  contract = await openContract()
})
after(() => contract.close())

type Plain = Readonly<Record<string, unknown>>

function putNew(item: Plain): TransactWriteItem {
  const Item = marshall(item)
  return { Put: { TableName: contract.table, Item, ConditionExpression: 'attribute_not_exists(pk)' } }
}

function addOne(key: Plain, condition?: string, values: Plain = {}): TransactWriteItem {
  return {
    Update: {
      TableName: contract.table,
      Key: marshall(key),
      UpdateExpression: 'SET n = n + :one',
      ...(condition && { ConditionExpression: condition }),
      ...valuesOf({ one: 1, ...values }),
    },
  }
}

test('transaction: puts, updates, deletes and checks are done together', async () => {
  const [made, changed, gone, checked] = ['made', 'changed', 'gone', 'checked'].map(contract.newKey)
  assert.ok(made && changed && gone && checked)
  await Promise.all([changed, gone, checked].map((key) => contract.put({ ...key, n: 1 })))
  const at = (key: Plain) => ({ TableName: contract.table, Key: marshall(key) })
  await contract.transact([
    putNew(made),
    addOne(changed),
    { Delete: at(gone) },
    { ConditionCheck: { ...at(checked), ConditionExpression: 'n = :one', ...valuesOf({ one: 1 }) } },
  ])
  const items = await Promise.all([made, changed, gone, checked].map(contract.get))
  assert.deepEqual(items, [made, { ...changed, n: 2 }, undefined, { ...checked, n: 1 }])
})

test('transaction: one condition that fails leaves everything as it was', async () => {
  const [free, taken] = [contract.newKey(), contract.newKey()]
  await contract.put({ ...taken, n: 1 })
  assert.deepEqual(await cancellationOf(contract.transact([putNew(free), putNew(taken)])), [
    'None',
    'ConditionalCheckFailed',
  ])
  assert.equal(await contract.get(free), undefined)
  assert.deepEqual(await contract.get(taken), { ...taken, n: 1 })
})

test('transaction: the reasons name every failed condition by the place of its action', async () => {
  const keys = Array.from({ length: 5 }, () => contract.newKey())
  await Promise.all([1, 3].map((place) => contract.put(keys[place] ?? {})))
  const reasons = await cancellationOf(contract.transact(keys.map(putNew)))
  assert.deepEqual(reasons, ['None', 'ConditionalCheckFailed', 'None', 'ConditionalCheckFailed', 'None'])
})

test('transaction: a reason carries the item where it was asked for', async () => {
  const [asked, silent] = [contract.newKey(), contract.newKey()]
  await Promise.all([asked, silent].map((key) => contract.put({ ...key, n: 7 })))
  const [put] = [putNew(asked)]
  const withItem = { Put: put.Put && { ...put.Put, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const } }
  const transaction = contract.transact([withItem, putNew(silent)])
  const error = await transaction.catch((reason: unknown) => reason)
  assert.ok(error instanceof TransactionCanceledException)
  const [first, second] = error.CancellationReasons ?? []
  assert.deepEqual(unmarshall(first?.Item ?? {}), { ...asked, n: 7 })
  assert.equal(second?.Item, undefined)
})

test('transaction: takes 100 actions, and all of them or none', async () => {
  const { pk } = contract.newKey()
  const keys = Array.from({ length: 100 }, (_, n) => ({ pk, sk: String(n).padStart(3, '0') }))
  const stored = async () =>
    (await contract.query({ p: pk }, { KeyConditionExpression: 'pk = :p', ConsistentRead: true })).items
  await contract.put(keys[99] ?? {})
  const reasons = await cancellationOf(contract.transact(keys.map(putNew)))
  assert.equal(reasons?.[99], 'ConditionalCheckFailed')
  assert.equal((await stored()).length, 1)
  await contract.transact(keys.slice(0, 99).map(putNew))
  assert.deepEqual(await stored(), keys)
})

interface Refusal {
  readonly rule: string
  readonly actions: () => TransactWriteItem[]
}

const refusals: readonly Refusal[] = [
  { rule: '101 actions', actions: () => Array.from({ length: 101 }, () => putNew(contract.newKey())) },
  {
    rule: 'two actions on one item',
    actions: () => {
      const key = contract.newKey()
      return [putNew(key), addOne(key)]
    },
  },
  { rule: 'no action', actions: () => [] },
]

for (const { rule, actions } of refusals) {
  test(`transaction: ${rule} is refused`, async () => {
    await assert.rejects(contract.transact(actions()), { name: 'ValidationException' })
  })
}

test('transaction: an invalid update of one item leaves the others as they were', async () => {
  const [fine, text] = [contract.newKey(), contract.newKey()]
  await contract.put({ ...text, n: 'no number' })
  await assert.rejects(contract.transact([putNew(fine), addOne(text)]))
  assert.equal(await contract.get(fine), undefined)
})

test('transaction: the same request with the same token is written once and answered as written', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, n: 0 })
  const [actions, token] = [[addOne(key, 'n = :zero', { zero: 0 })], randomUUID()]
  await contract.transact(actions, token)
  await contract.transact(actions, token)
  assert.equal((await contract.get(key))?.n, 1)
})

test('transaction: a replay is answered as written also after somebody else changed the item', async () => {
  const key = contract.newKey()
  const [actions, token] = [[putNew({ ...key, n: 1 })], randomUUID()]
  await contract.transact(actions, token)
  await contract.put({ ...key, n: 9 })
  await contract.transact(actions, token)
  assert.equal((await contract.get(key))?.n, 9)
})

test('transaction: another request with the same token is an IdempotentParameterMismatch', async () => {
  const [first, second, token] = [contract.newKey(), contract.newKey(), randomUUID()]
  await contract.transact([putNew(first)], token)
  await assert.rejects(contract.transact([putNew(second)], token), {
    name: 'IdempotentParameterMismatchException',
  })
  assert.equal(await contract.get(second), undefined)
})

test('transaction: the token of a canceled one may be used again', async () => {
  const [key, token] = [contract.newKey(), randomUUID()]
  await contract.put({ ...key, n: 0 })
  const actions = [addOne(key, 'n = :nine', { nine: 9 })]
  assert.deepEqual(await cancellationOf(contract.transact(actions, token)), ['ConditionalCheckFailed'])
  await contract.put({ ...key, n: 9 })
  await contract.transact(actions, token)
  assert.equal((await contract.get(key))?.n, 10)
})

test('transaction: of concurrent ones on one item each is written whole or not at all', async () => {
  const { pk } = contract.newKey()
  const [left, right] = [
    { pk, sk: 'left' },
    { pk, sk: 'right' },
  ]
  await Promise.all([left, right].map((key) => contract.put({ ...key, n: 0 })))
  const reasons = await Promise.all(
    Array.from({ length: 20 }, (_, n) => {
      const mark = putNew({ pk, sk: `mark ${n}` })
      const both = n % 2 === 0 ? [left, right] : [right, left]
      return cancellationOf(contract.transact([...both.map((key) => addOne(key)), mark]))
    }),
  )
  const written = reasons.filter((codes) => codes === undefined).length
  const values = { p: pk, m: 'mark' }
  const condition = 'pk = :p AND begins_with(sk, :m)'
  const { items } = await contract.query(values, { KeyConditionExpression: condition, ConsistentRead: true })
  assert.ok(written >= 1)
  const sums = (await Promise.all([left, right].map(contract.get))).map((item) => item?.n)
  assert.deepEqual([...sums, items.length], [written, written, written])
  for (const codes of reasons) assert.ok(codes === undefined || codes.includes('TransactionConflict'))
})

test('transaction: of 20 that claim one item exactly one is written', async () => {
  const key = contract.newKey()
  await contract.put({ ...key, n: 0 })
  const claims = Array.from({ length: 20 }, () =>
    cancellationOf(contract.transact([addOne(key, 'n = :zero', { zero: 0 }), putNew(contract.newKey())])),
  )
  const won = (await Promise.all(claims)).filter((codes) => codes === undefined)
  assert.equal(won.length, 1)
  assert.equal((await contract.get(key))?.n, 1)
})

test('transaction: one and a single write, both conditional on the same state, never both win', async () => {
  for (let round = 0; round < 10; round++) {
    const key = contract.newKey()
    await contract.put({ ...key, n: 0 })
    const single = contract.update(
      key,
      { one: 1, zero: 0 },
      { UpdateExpression: 'SET n = n + :one', ConditionExpression: 'n = :zero' },
    )
    const together = contract.transact([addOne(key, 'n = :zero', { zero: 0 }), putNew(contract.newKey())])
    const outcomes = await Promise.allSettled([single, together])
    const won = outcomes.filter(({ status }) => status === 'fulfilled').length
    assert.deepEqual([won, (await contract.get(key))?.n], [won, won])
    assert.ok(won <= 1)
  }
})
