import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  TransactionConflictException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import type { Random } from '../../base/random.ts'
import type { Key } from './table.ts'

/** The one table, and the client to reach it. */
export interface Table {
  readonly client: DynamoDBClient
  readonly name: string
  /** For the pauses between tries. */
  readonly random: Random
}

/** An item as plain JavaScript values. */
export type Item = Readonly<Record<string, unknown>>

/**
 * A conditional change of one item. In expressions `#word` stands for the attribute `word`; values are named.
 */
export interface Change {
  readonly key: Key
  readonly update: string
  readonly condition?: string
  readonly values: Readonly<Record<string, unknown>>
}

/** One action of a transaction. */
export type Action = { readonly change: Change } | { readonly put: Item } | { readonly remove: Key }

/** Reads one item as last written. */
export async function getItem(table: Table, key: Key): Promise<Item | undefined> {
  const { Item } = await table.client.send(
    new GetItemCommand({ TableName: table.name, Key: marshall(key), ConsistentRead: true }),
  )
  return Item && unmarshall(Item)
}

/**
 * Reads many items, in the order of their keys; what does not exist is left out. `eventual` costs half and may
 * miss writes of the last second (DynamoDB Developer Guide, "Read consistency").
 */
export async function getItems(
  table: Table,
  keys: readonly Key[],
  consistency: 'newest' | 'eventual' = 'newest',
): Promise<readonly Item[]> {
  const found = new Map<string, Item>()
  for (let start = 0; start < keys.length; start += 100) {
    let pending: Record<string, AttributeValue>[] = keys.slice(start, start + 100).map((key) => marshall(key))
    for (let round = 0; pending.length > 0; round++) {
      if (round > 0) await backOff(table, round)
      const answer = await table.client.send(
        new BatchGetItemCommand({
          RequestItems: { [table.name]: { Keys: pending, ConsistentRead: consistency === 'newest' } },
        }),
      )
      for (const raw of answer.Responses?.[table.name] ?? []) {
        const item = unmarshall(raw)
        found.set(`${item.pk}\n${item.sk}`, item)
      }
      pending = answer.UnprocessedKeys?.[table.name]?.Keys ?? []
    }
  }
  return keys.map((key) => found.get(`${key.pk}\n${key.sk}`)).filter((item) => item !== undefined)
}

/** Writes an item whose key is free; otherwise changes nothing and answers the item that is there. */
export async function putNew(table: Table, item: Item): Promise<Item | undefined> {
  const command = new PutItemCommand({
    TableName: table.name,
    Item: toItem(item),
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })
  try {
    await unlessInConflict(table, () => table.client.send(command))
    return undefined
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException && error.Item) return unmarshall(error.Item)
    throw error
  }
}

/** Writes an item, whatever was there. */
export async function putItem(table: Table, item: Item): Promise<void> {
  await table.client.send(new PutItemCommand({ TableName: table.name, Item: toItem(item) }))
}

/**
 * Changes an item; undefined when its condition fails, else the item as it is now. The SDK repeats a write whose
 * answer was lost, and then the condition fails on what the first one did: `isDone` tells such an item.
 */
export async function changeItem(
  table: Table,
  change: Change,
  isDone: (item: Item) => boolean = () => false,
): Promise<Item | undefined> {
  const command = new UpdateItemCommand({
    TableName: table.name,
    ...toUpdate(change),
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  })
  try {
    const { Attributes } = await unlessInConflict(table, () => table.client.send(command))
    return Attributes ? unmarshall(Attributes) : {}
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
    const item = error.Item && unmarshall(error.Item)
    return item && isDone(item) ? item : undefined
  }
}

/** Deletes an item; false when the condition fails. Values and names as in {@link Change}. */
export async function deleteItem(
  table: Table,
  key: Key,
  condition?: { readonly expression: string; readonly values: Readonly<Record<string, unknown>> },
): Promise<boolean> {
  const command = new DeleteItemCommand({
    TableName: table.name,
    Key: marshall(key),
    ...(condition && {
      ConditionExpression: condition.expression,
      ...namesOf(condition.expression),
      ...valuesOf(condition.values),
    }),
  })
  try {
    await unlessInConflict(table, () => table.client.send(command))
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}

/** One page of a query, unmarshalled. Names and values as in {@link Change}. */
export async function queryItems(
  table: Table,
  query: {
    readonly index?: string
    readonly condition: string
    /** Items for which it does not hold are left out. */
    readonly filter?: string
    readonly values: Readonly<Record<string, unknown>>
    readonly limit: number
    readonly descending?: boolean
  },
): Promise<readonly Item[]> {
  const items: Item[] = []
  let start: QueryCommandInput['ExclusiveStartKey']
  do {
    const page = await table.client.send(
      new QueryCommand({
        TableName: table.name,
        ...(query.index === undefined ? { ConsistentRead: true } : { IndexName: query.index }),
        KeyConditionExpression: query.condition,
        ...(query.filter !== undefined && { FilterExpression: query.filter }),
        ...namesOf(`${query.condition} ${query.filter ?? ''}`),
        ...valuesOf(query.values),
        Limit: query.limit - items.length,
        ScanIndexForward: !query.descending,
        ...(start && { ExclusiveStartKey: start }),
      }),
    )
    items.push(...(page.Items ?? []).map((item) => unmarshall(item)))
    start = page.LastEvaluatedKey
  } while (start && items.length < query.limit)
  return items
}

/** How a transaction ended: written as a whole, or the places of the actions whose conditions failed. */
export type Transaction =
  | { readonly kind: 'written' }
  | { readonly kind: 'refused'; readonly places: readonly number[] }

const MOST_CONFLICTS = 12

/**
 * Writes all or nothing. A put demands that its key is free. A conflict with somebody else's transaction is no
 * decision: it is tried again, after a pause that grows at random.
 */
export async function transact(table: Table, actions: readonly Action[]): Promise<Transaction> {
  const items = actions.map((action) => toTransactItem(table, action))
  for (let conflicts = 0; ; conflicts++) {
    try {
      await table.client.send(new TransactWriteItemsCommand({ TransactItems: items }))
      return { kind: 'written' }
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error
      const reasons = error.CancellationReasons ?? []
      const failed = [...reasons.keys()].filter((place) => reasons[place]?.Code === 'ConditionalCheckFailed')
      if (failed.length > 0) return { kind: 'refused', places: failed }
      if (conflicts >= MOST_CONFLICTS || !reasons.some(isPassing)) throw error
      await backOff(table, conflicts)
    }
  }
}

/** A write that meets somebody's transaction is refused undone; the SDK does not repeat it. */
async function unlessInConflict<Answer>(table: Table, write: () => Promise<Answer>): Promise<Answer> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof TransactionConflictException) || conflicts >= MOST_CONFLICTS) throw error
      await backOff(table, conflicts)
    }
  }
}

/** Waits longer the more often it was in vain; at random, so that two who conflict do not meet again. */
export async function backOff(table: Table, round: number): Promise<void> {
  await sleep(table.random.fraction() * Math.min(1_000, 20 * 2 ** round))
}

function isPassing(reason: { readonly Code?: string | undefined }): boolean {
  return ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'].includes(
    reason.Code ?? '',
  )
}

function toTransactItem(table: Table, action: Action): TransactWriteItem {
  if ('change' in action) return { Update: { TableName: table.name, ...toUpdate(action.change) } }
  if ('remove' in action) return { Delete: { TableName: table.name, Key: marshall(action.remove) } }
  return {
    Put: {
      TableName: table.name,
      Item: toItem(action.put),
      ConditionExpression: 'attribute_not_exists(pk)',
    },
  }
}

function toUpdate({ key, update, condition, values }: Change) {
  return {
    Key: marshall(key),
    UpdateExpression: update,
    ...(condition !== undefined && { ConditionExpression: condition }),
    ...namesOf(`${update} ${condition ?? ''}`),
    ...valuesOf(values),
  }
}

function toItem(item: Item): Record<string, AttributeValue> {
  return marshall(item, { removeUndefinedValues: true })
}

function namesOf(expressions: string): { ExpressionAttributeNames?: Record<string, string> } {
  const names = [...new Set(expressions.match(/#\w+/g) ?? [])]
  return names.length === 0
    ? {}
    : { ExpressionAttributeNames: Object.fromEntries(names.map((name) => [name, name.slice(1)])) }
}

function valuesOf(values: Readonly<Record<string, unknown>>): {
  ExpressionAttributeValues?: Record<string, AttributeValue>
} {
  if (Object.keys(values).length === 0) return {}
  const named = Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]))
  return { ExpressionAttributeValues: marshall(named, { removeUndefinedValues: true }) }
}
