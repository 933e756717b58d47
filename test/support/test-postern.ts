import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { findFreePort } from '../../infra/local/free-port.ts'
import { type AdminClient, adminClient } from '../../scripts/cli/client.ts'
import { type LocalPostern, localSeed, startLocalPostern } from '../../scripts/local-postern.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import type { Table } from '../../shared/adapters/aws/dynamo.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'

/** A whole Postern for tests: the deployed template on free ports and a directory of its own. */
export interface TestPostern {
  readonly local: LocalPostern
  readonly directory: string
  readonly smtpPort: number
  readonly admin: AdminClient
  readonly table: Table
  /** A call of the webapi as the seeded account. */
  call(
    method: string,
    request: unknown,
  ): Promise<{ readonly status: number; readonly json: Record<string, unknown> }>
}

/** Starts it, and stops it with the test; what the functions log is shown when the test fails. */
export async function testPostern(
  context: TestContext | { after(end: () => Promise<void>): void },
  more: { readonly directory?: string; readonly environment?: Record<string, Record<string, string>> } = {},
): Promise<TestPostern> {
  const directory = more.directory ?? mkdtempSync(join(tmpdir(), 'postern-test-'))
  const smtpPort = await findFreePort('127.0.0.1')
  const lines: string[] = []
  const local = await startLocalPostern({
    directory,
    httpPort: await findFreePort('127.0.0.1'),
    smtpPort,
    addresses: ['127.0.0.1'],
    environment: more.environment ?? {},
    onLog: (line) => {
      lines.push(line)
      if (/"level":"error"/.test(line)) console.error(line)
    },
  })
  context.after(async () => {
    await local.stop()
    if (!more.directory) rmSync(directory, { recursive: true, force: true })
  })
  const { apiUrl, outputs } = local.cloud
  const authorization = `Basic ${Buffer.from(`${localSeed.address}:${localSeed.password}`).toString('base64')}`
  return {
    local,
    directory,
    smtpPort,
    admin: adminClient({ url: apiUrl, password: localSeed.adminPassword }),
    table: {
      client: new DynamoDBClient(local.cloud.clientConfig()),
      name: outputs.TableName ?? '',
      random: systemRandom,
    },
    async call(method, request) {
      const answer = await fetch(`${apiUrl}/webapi/v0/${method}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(request),
      })
      return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
    },
  }
}

/** The stores of a table, as the functions build them; contents must be small enough for the table. */
export function storesOf(table: Table, clock = systemClock) {
  const objects = () => Promise.reject(new Error('this test has no bucket'))
  return {
    content: awsContentStore({ table, objects, clock }),
    queue: dynamoQueueStore(table),
    calls: dynamoWebhookStore(table),
    mailboxes: dynamoMailboxStore(table, clock),
  }
}
