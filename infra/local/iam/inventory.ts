import { z } from 'zod'
import { physicalName } from '../template/identities.ts'
import type { Deployment } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'

/** What a request's names stand for. */
export interface Inventory {
  readonly deployment: Deployment
  /** By name. */
  readonly tables: ReadonlyMap<string, TableKeys>
  readonly secrets: readonly { readonly name: string; readonly arn: string }[]
}

/** The attribute that is the partition key, of a table and of each of its indexes. */
interface TableKeys {
  readonly partitionKey: string
  readonly indexes: ReadonlyMap<string, string>
}

/** Reads tables and secrets of a template; secrets must have been created, which gives them their ARN. */
export function readInventory(template: NamedTemplate): Inventory {
  const { deployment, identities } = template
  const tables = template.ofType('AWS::DynamoDB::Table').map((table) => {
    const { KeySchema, GlobalSecondaryIndexes, LocalSecondaryIndexes } = template.read(table, tableSchema)
    const indexes = [...GlobalSecondaryIndexes, ...LocalSecondaryIndexes].map(
      (index) => [index.IndexName, partitionKey(index.KeySchema)] as const,
    )
    const keys: TableKeys = { partitionKey: partitionKey(KeySchema), indexes: new Map(indexes) }
    return [identities.reference(table.logicalId), keys] as const
  })
  const secrets = template.ofType('AWS::SecretsManager::Secret').map((secret) => ({
    name: physicalName(secret, deployment.stack),
    arn: identities.reference(secret.logicalId),
  }))
  return { deployment, tables: new Map(tables), secrets }
}

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() }))
const indexesSchema = z.array(z.object({ IndexName: z.string(), KeySchema: keySchema })).default([])

const tableSchema = z.object({
  KeySchema: keySchema,
  GlobalSecondaryIndexes: indexesSchema,
  LocalSecondaryIndexes: indexesSchema,
})

function partitionKey(keys: z.infer<typeof keySchema>): string {
  return keys.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? ''
}
