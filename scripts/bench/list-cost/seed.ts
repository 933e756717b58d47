import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { settleChange } from '../../../shared/adapters/aws/attempt-changes.ts'
import { newRowItem } from '../../../shared/adapters/aws/attempt-items.ts'
import { messageFormat } from '../../../shared/adapters/aws/message-items.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { DAY, formatInstant, HOUR, type Instant } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import type { DeliveryResult, QueuedMessage } from '../../../shared/queue/queued-message.ts'
import { dueIndex, retiredIndex, tableKeys } from '../../../shared/runtime/names.ts'

/** How many rows of each kind lie in the table, spread evenly over the accounts. */
export interface Amount {
  readonly queued: number
  readonly retired: number
  readonly accounts: number
}

const BATCH = 25
const BATCHES_IN_FLIGHT = 16

/** The table as it is deployed, without what costs nothing to read. */
export async function createTable(client: DynamoDBClient, TableName: string): Promise<void> {
  const indexes = [dueIndex, retiredIndex]
  const names = [tableKeys, ...indexes].flatMap(({ partition, sort }) => [partition, sort])
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keySchema(tableKeys),
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection: { ProjectionType: 'KEYS_ONLY' },
      })),
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
}

function keySchema({ partition, sort }: { readonly partition: string; readonly sort: string }) {
  return [
    { AttributeName: partition, KeyType: 'HASH' as const },
    { AttributeName: sort, KeyType: 'RANGE' as const },
  ]
}

/** The names of the accounts, in the order in which they got their rows. */
export function accountNames({ accounts }: Amount): readonly string[] {
  return Array.from({ length: accounts }, (_, place) => `account-${place}`)
}

/** Writes the rows; `onProgress` hears how many are there. */
export async function seed(
  client: DynamoDBClient,
  table: string,
  amount: Amount,
  now: Instant,
  onProgress: (rows: number) => void,
): Promise<void> {
  const names = accountNames(amount)
  const total = amount.queued + amount.retired
  for (let start = 0; start < total; start += BATCH * BATCHES_IN_FLIGHT) {
    const batches = Array.from({ length: BATCHES_IN_FLIGHT }, (_, batch) => start + batch * BATCH)
    await Promise.all(
      batches
        .filter((first) => first < total)
        .map(async (first) => {
          const places = Array.from({ length: Math.min(BATCH, total - first) }, (_, place) => first + place)
          await write(
            client,
            table,
            places.map((place) => itemAt(place, names, amount, now)),
          )
        }),
    )
    onProgress(Math.min(start + BATCH * BATCHES_IN_FLIGHT, total))
  }
}

async function write(
  client: DynamoDBClient,
  table: string,
  items: readonly Record<string, AttributeValue>[],
): Promise<void> {
  const requests = items.map((Item) => ({ PutRequest: { Item } }))
  await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }))
}

function itemAt(
  place: number,
  names: readonly string[],
  { queued }: Amount,
  now: Instant,
): Record<string, AttributeValue> {
  const account = names[place % names.length] ?? ''
  const message = messageAt(place, account, now)
  const item = newRowItem(messageFormat, message)
  return marshall(place < queued ? item : retired(item, message), { removeUndefinedValues: true })
}

/** One that waits for its third attempt, some time within the next hours. */
function messageAt(place: number, account: string, now: Instant): QueuedMessage {
  const queuedAt = now - DAY + (place % (20 * HOUR))
  const id = rowIdAt(queuedAt, Math.floor(place / (20 * HOUR)))
  return {
    account,
    id,
    state: 'waiting',
    attempts: 0,
    queuedAt,
    nextAt: now + ((place * 7919) % (8 * HOUR)),
    results: [],
    base: id,
    recipients: 1,
    mailFrom: parseAddress(`${account}@mail.example`),
    recipient: parseAddress(`customer-${place}@remote.example`),
    fromId: '',
    messageId: `<${id}@mail.example>`,
    subject: `Your order ${place}`,
    size: 4_000,
    has8bit: false,
    smtputf8: false,
    extra: { order: String(place) },
    transport: '',
    futureRelease: '',
  }
}

/** The same, delivered; with the attributes that an outcome sets. */
function retired(item: Readonly<Record<string, unknown>>, message: QueuedMessage) {
  const lastActivityAt = message.queuedAt + 1_000
  const result: DeliveryResult = {
    attempt: 1,
    startedAt: message.queuedAt,
    durationMs: 400,
    status: 'success',
    code: 250,
    enhancedCode: '2.0.0',
    error: '',
    reply: 'queued as 4F2A1C',
  }
  const { values } = settleChange(
    messageFormat,
    { ...message, attempts: 1 },
    {
      kind: 'retire',
      result,
      retired: { success: true, lastActivityAt, keepUntil: message.queuedAt + 30 * DAY },
    },
  )
  const { due: _due, dueAt: _dueAt, ...kept } = item
  return {
    ...kept,
    state: 'done',
    attempts: 1,
    results: { 1: values.result },
    success: true,
    lastActivityAt: formatInstant(lastActivityAt),
    keepUntil: values.keepUntil,
    retired: values.retired,
    retiredAt: values.retiredAt,
    expires: values.expires,
  }
}
