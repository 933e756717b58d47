import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startDynamoEngine } from '../../infra/local/dynamodb/dynamo-engine.ts'
import { openFaults } from '../../infra/local/gateway/faults.ts'
import type { FaultOptions } from '../../infra/local/gateway/faults-options.ts'
import { openGateway } from '../../infra/local/gateway/gateway.ts'
import { givePrincipals } from '../../infra/local/gateway/principals.ts'
import { openSqs } from '../../infra/local/sqs/sqs.ts'

/** Clients behind a gateway with faults: of a role, which meets them, and of the operator, who does not. */
export interface FaultyCloud {
  readonly role: DynamoDBClient
  readonly operator: DynamoDBClient
  readonly roleSqs: SQSClient
  readonly operatorSqs: SQSClient
  /** Of faults and queues; it stands still until it is set. */
  readonly clock: { nowMs: number }
  readonly log: readonly string[]
}

export const table = 'faults'

/**
 * Starts a DynamoDB engine with the table `faults` of keys `pk` and `sk` and an index `due` of keys only, and an SQS.
 * `open` puts a gateway before them, closed after the test. SDK clients make one attempt unless told otherwise.
 */
export async function startFaultyClouds() {
  const directory = mkdtempSync(join(tmpdir(), 'faults-'))
  const engine = await startDynamoEngine({ directory, onLog: () => {} })
  const clock = { nowMs: 1_700_000_000_000 }
  const now = () => clock.nowMs
  const deployment = { region: 'us-east-1', accountId: '000000000000' }
  const sqs = openSqs({ ...deployment, directory, endpoint: () => 'http://127.0.0.1:1', now })
  const principals = givePrincipals(['Role'])
  await createTable(engine.endpoint)

  async function open(t: TestContext, options: FaultOptions, maxAttempts = 1): Promise<FaultyCloud> {
    const log: string[] = []
    const onLog = (line: string) => void log.push(line)
    const operatorAccessKeyId = principals.root.accessKeyId
    const gateway = await openGateway({
      backends: {
        dynamodb: { kind: 'proxy', origin: engine.endpoint },
        sqs: { kind: 'json', service: sqs, contentType: 'application/x-amz-json-1.0' },
      },
      principals,
      faults: openFaults(options, { operatorAccessKeyId, now, onLog }),
      onLog,
    })
    const common = { endpoint: gateway.endpoint, region: deployment.region, maxAttempts }
    const [asRole, asOperator] = [principals.credentialsOf('Role'), principals.root].map((credentials) => ({
      ...common,
      credentials,
      useQueueUrlAsEndpoint: false,
    }))
    const clients = {
      role: new DynamoDBClient(asRole ?? {}),
      operator: new DynamoDBClient(asOperator ?? {}),
      roleSqs: new SQSClient(asRole ?? {}),
      operatorSqs: new SQSClient(asOperator ?? {}),
    }
    t.after(async () => {
      for (const client of Object.values(clients)) client.destroy()
      await gateway.close()
    })
    return { ...clients, clock, log }
  }

  const close = async () => {
    await engine.stop()
    sqs.close()
    rmSync(directory, { recursive: true })
  }
  return { open, close }
}

/** A queue of that name with those attributes; its URL. */
export async function createQueue(
  client: SQSClient,
  QueueName: string,
  Attributes: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }))
  return QueueUrl
}

async function createTable(endpoint: string): Promise<void> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials })
  const keys = (partition: string, sort: string) => [
    { AttributeName: partition, KeyType: 'HASH' as const },
    { AttributeName: sort, KeyType: 'RANGE' as const },
  ]
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const })
  await client.send(
    new CreateTableCommand({
      TableName: table,
      AttributeDefinitions: ['pk', 'sk', 'due', 'dueAt'].map(attribute),
      KeySchema: keys('pk', 'sk'),
      GlobalSecondaryIndexes: [
        { IndexName: 'due', KeySchema: keys('due', 'dueAt'), Projection: { ProjectionType: 'KEYS_ONLY' } },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  client.destroy()
}
