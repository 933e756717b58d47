import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb'

/** A table whose items end by a time-to-live attribute (seconds since 1970). */
export interface ExpiringTable {
  readonly name: string
  readonly keys: readonly string[]
  readonly attribute: string
}

/** Deletes what has expired, as DynamoDB's time to live does; the engine accepts the setting but never deletes. */
export async function deleteExpired(
  client: DynamoDBClient,
  table: ExpiringTable,
  nowSeconds: number,
): Promise<number> {
  const expired = {
    TableName: table.name,
    ExpressionAttributeNames: { '#expires': table.attribute },
    ExpressionAttributeValues: { ':now': { N: String(nowSeconds) } },
  }
  let deleted = 0
  let from: Record<string, AttributeValue> | undefined
  do {
    const page = await client.send(
      new ScanCommand({ ...expired, FilterExpression: '#expires < :now', ExclusiveStartKey: from }),
    )
    for (const item of page.Items ?? []) {
      const Key = Object.fromEntries(Object.entries(item).filter(([name]) => table.keys.includes(name)))
      // Conditional: the item may have got a later end since the scan read it.
      const command = new DeleteItemCommand({ ...expired, Key, ConditionExpression: '#expires < :now' })
      deleted += await client.send(command).then(() => 1, zeroWhenChanged)
    }
    from = page.LastEvaluatedKey
  } while (from)
  return deleted
}

function zeroWhenChanged(error: unknown): number {
  if (error instanceof ConditionalCheckFailedException) return 0
  throw error
}
