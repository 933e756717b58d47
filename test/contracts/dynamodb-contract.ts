import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { startDynamoEngine } from '../../infra/local/dynamodb/dynamo-engine.ts'

type Plain = Readonly<Record<string, unknown>>

/**
 * Calls to the DynamoDB under test, in plain JavaScript values: POSTERN_CONTRACT_DYNAMODB_ENDPOINT where set, else
 * an engine of its own. All work on one table of keys `pk` and `sk` with a sparse index `due` of keys only.
 */
export async function openContract() {
  const given = process.env.POSTERN_CONTRACT_DYNAMODB_ENDPOINT
  const { endpoint, stop } =
    given === undefined ? await startEngine() : { endpoint: given, stop: async () => {} }
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  const TableName = `contract-${randomUUID()}`
  await createTable(client, TableName)

  const put = (item: Plain, rest: Partial<PutItemCommandInput> = {}) =>
    client.send(new PutItemCommand({ TableName, Item: marshall(item), ...rest }))

  async function get(key: Plain): Promise<Plain | undefined> {
    const command = new GetItemCommand({ TableName, Key: marshall(key), ConsistentRead: true })
    const { Item } = await client.send(command)
    return Item && unmarshall(Item)
  }

  /** `values` are those of the expressions, without their colons. */
  const update = (key: Plain, values: Plain, rest: Omit<UpdateItemCommandInput, 'Key' | 'TableName'>) =>
    client.send(new UpdateItemCommand({ TableName, Key: marshall(key), ...valuesOf(values), ...rest }))

  async function query(values: Plain, rest: Omit<QueryCommandInput, 'TableName'>) {
    const page = await client.send(new QueryCommand({ TableName, ...valuesOf(values), ...rest }))
    return { items: (page.Items ?? []).map((item) => unmarshall(item)), next: page.LastEvaluatedKey }
  }

  const transact = (TransactItems: TransactWriteItem[], ClientRequestToken?: string) =>
    client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }))

  return {
    client,
    table: TableName,
    endpoint,
    /** A key of a partition that no other test uses. */
    newKey: (sk = 'item') => ({ pk: randomUUID(), sk }),
    put,
    get,
    update,
    query,
    transact,
    close: async () => {
      await client.send(new DeleteTableCommand({ TableName }))
      client.destroy()
      await stop()
    },
  }
}

/** Expression values, marshalled and under names with colons. */
export function valuesOf(values: Plain): { ExpressionAttributeValues?: Record<string, AttributeValue> } {
  const named = Object.entries(values).map(([name, value]) => [`:${name}`, value])
  return named.length === 0 ? {} : { ExpressionAttributeValues: marshall(Object.fromEntries(named)) }
}

/** The codes of a canceled transaction, by place of the action; undefined when it was written. */
export async function cancellationOf(transaction: Promise<unknown>): Promise<readonly unknown[] | undefined> {
  try {
    await transaction
    return undefined
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error
    return error.CancellationReasons?.map(({ Code }) => Code)
  }
}

async function createTable(client: DynamoDBClient, TableName: string): Promise<void> {
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const })
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: ['pk', 'sk', 'due', 'dueAt'].map(attribute),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'due', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName })
}

async function startEngine() {
  const directory = mkdtempSync(join(tmpdir(), 'dynamodb-'))
  const engine = await startDynamoEngine({ directory, onLog: () => {} })
  const stop = async () => {
    await engine.stop()
    rmSync(directory, { recursive: true })
  }
  return { endpoint: engine.endpoint, stop }
}
