import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Random } from '../../base/random.ts'
import type { Table } from './dynamo.ts'

/** The table of that name; region, credentials and endpoint come from the environment, as AWS's SDK reads it. */
export function dynamoTable(name: string, random: Random): Table {
  return { client: new DynamoDBClient({}), name, random }
}
