import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import { z } from 'zod'
import type { ExpiringTable } from '../dynamodb/item-expiry.ts'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'

/** Creates an `AWS::DynamoDB::Table` or brings an existing one's indexes up to date; answers how its items expire. */
export async function createTable(
  resource: Resource,
  template: NamedTemplate,
  client: DynamoDBClient,
): Promise<ExpiringTable | undefined> {
  const name = template.identities.reference(resource.logicalId)
  const wanted = template.read(resource, tableSchema)
  const existing = await describe(client, name)
  if (existing) await update(client, name, wanted, existing)
  else await client.send(new CreateTableCommand(createInput(name, wanted)))
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName: name })
  const expiry = wanted.TimeToLiveSpecification
  if (!expiry?.Enabled) return undefined
  await enableExpiry(client, name, expiry.AttributeName)
  const keys = wanted.KeySchema.map(({ AttributeName }) => AttributeName)
  return { name, keys, attribute: expiry.AttributeName }
}

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))

const tableSchema = z.object({
  AttributeDefinitions: z.array(
    z.object({ AttributeName: z.string(), AttributeType: z.enum(['B', 'N', 'S']) }),
  ),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z
    .array(
      z.object({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.object({
          ProjectionType: z.enum(['ALL', 'INCLUDE', 'KEYS_ONLY']),
          NonKeyAttributes: z.array(z.string()).optional(),
        }),
      }),
    )
    .optional(),
  TimeToLiveSpecification: z.object({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
})

type TableProperties = z.infer<typeof tableSchema>

async function describe(client: DynamoDBClient, name: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined
    throw error
  }
}

/** Capacity is not taken from the template: one machine has what it has. */
function createInput(
  name: string,
  wanted: TableProperties,
): ConstructorParameters<typeof CreateTableCommand>[0] {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = wanted
  return {
    TableName: name,
    AttributeDefinitions,
    KeySchema,
    GlobalSecondaryIndexes,
    BillingMode: 'PAY_PER_REQUEST',
  }
}

async function update(
  client: DynamoDBClient,
  name: string,
  wanted: TableProperties,
  existing: TableDescription,
): Promise<void> {
  requireSameKeys(`table ${name}`, wanted.KeySchema, existing.KeySchema)
  const indexes = new Map(existing.GlobalSecondaryIndexes?.map((index) => [index.IndexName, index]))
  for (const index of wanted.GlobalSecondaryIndexes ?? []) {
    const known = indexes.get(index.IndexName)
    if (known) {
      requireSameKeys(`index ${index.IndexName} of table ${name}`, index.KeySchema, known.KeySchema)
      continue
    }
    const { AttributeDefinitions } = wanted
    const GlobalSecondaryIndexUpdates = [{ Create: index }]
    await client.send(
      new UpdateTableCommand({ TableName: name, AttributeDefinitions, GlobalSecondaryIndexUpdates }),
    )
  }
}

function requireSameKeys(
  what: string,
  wanted: readonly KeySchemaElement[],
  existing: readonly KeySchemaElement[] = [],
): void {
  const text = (keys: readonly KeySchemaElement[]) =>
    keys.map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`).join(', ')
  if (text(wanted) === text(existing)) return
  throw new Error(
    `The data directory's ${what} has the keys ${text(existing)}, the template ${text(wanted)}; ` +
      'keys cannot be changed: remove the data directory.',
  )
}

async function enableExpiry(client: DynamoDBClient, name: string, attribute: string): Promise<void> {
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: name }))
  if (TimeToLiveDescription?.AttributeName === attribute) return
  const TimeToLiveSpecification = { AttributeName: attribute, Enabled: true }
  await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }))
}
