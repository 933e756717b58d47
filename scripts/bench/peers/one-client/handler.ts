import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'

// The least that a function of ours could be: one client, one call.
const client = new DynamoDBClient({})

export const handler = async () =>
  await client.send(new GetItemCommand({ TableName: 'table', Key: { pk: { S: 'key' } } }))
