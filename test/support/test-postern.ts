import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { FaultOptions } from '../../infra/local/gateway/faults-options.ts'
import type { SesSettings } from '../../infra/local/ses/settings.ts'
import { type AdminClient, adminClient } from '../../scripts/cli/client.ts'
import { freePorts } from '../../scripts/free-ports.ts'
import {
  type LocalPorts,
  type LocalPostern,
  type LocalPosternOptions,
  localSeed,
  startLocalPostern,
} from '../../scripts/local-postern.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import type { Table } from '../../shared/adapters/aws/dynamo.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'

/** A whole Postern for tests: the deployed template on free ports and a directory of its own. */
export interface TestPostern extends Omit<LocalPorts, 'httpPort'> {
  readonly local: LocalPostern
  readonly directory: string
  readonly admin: AdminClient
  readonly table: Table
  /** A call of the webapi as the seeded account. */
  call(
    method: string,
    request: unknown,
  ): Promise<{ readonly status: number; readonly json: Record<string, unknown> }>
  /** The same with any body, whose type is among the header fields. */
  post(method: string, body: string | Uint8Array, headers: Record<string, string>): Promise<Response>
}

/** What a test may want different. */
interface TestPosternOptions {
  readonly directory?: string
  readonly environment?: Record<string, Record<string, string>>
  readonly editTemplate?: LocalPosternOptions['editTemplate']
  /** With a sender, whose container is `sender` in {@link environment}. */
  readonly egress?: LocalPosternOptions['egress']
  /** Rare behaviours of AWS, in place of {@link USUAL_FAULTS}; `none` when the test is about something else. */
  readonly faults?: Omit<FaultOptions, 'seed'> | 'none'
  /** How SES sends and what befalls its events; `local.cloud.ses` changes it later, and has what SES accepted. */
  readonly ses?: Partial<SesSettings>
}

/** What happens on AWS every day, so that no test may count on its absence. */
const USUAL_FAULTS = { transactionConflicts: 0.05, indexLagMs: 2_000 } as const

/** Repeats the faults of a run that failed. */
const seed = Number(process.env.POSTERN_TEST_SEED ?? randomInt(2 ** 31))
process.once('exit', (code) => {
  if (code !== 0) console.error(`the faults of this run: POSTERN_TEST_SEED=${seed}`)
})

/** Starts it, and stops it with the test; the errors that functions log are shown. */
export async function testPostern(
  context: TestContext | { after(end: () => Promise<void>): void },
  more: TestPosternOptions = {},
): Promise<TestPostern> {
  const directory = more.directory ?? mkdtempSync(join(tmpdir(), 'postern-test-'))
  const ports = await freePorts()
  const { faults = USUAL_FAULTS } = more
  const local = await startLocalPostern({
    directory,
    ...ports,
    addresses: ['127.0.0.1'],
    environment: more.environment ?? {},
    ...(more.egress && { egress: more.egress }),
    ...(more.editTemplate && { editTemplate: more.editTemplate }),
    ...(faults !== 'none' && { faults: { seed, ...faults } }),
    ...(more.ses && { ses: { seed, ...more.ses } }),
    onLog: (line) => {
      if (/"level":"error"/.test(line)) console.error(line)
    },
  })
  context.after(async () => {
    await local.stop()
    if (!more.directory) rmSync(directory, { recursive: true, force: true })
  })
  const { apiUrl, outputs } = local.cloud
  const authorization = `Basic ${Buffer.from(`${localSeed.address}:${localSeed.password}`).toString('base64')}`
  const post: TestPostern['post'] = async (method, body, headers) =>
    await fetch(`${apiUrl}/webapi/v0/${method}`, {
      method: 'POST',
      headers: { authorization, ...headers },
      body: Buffer.from(body),
    })
  return {
    local,
    directory,
    ...ports,
    admin: adminClient({ url: apiUrl, password: localSeed.adminPassword }),
    table: {
      client: new DynamoDBClient(local.cloud.clientConfig()),
      name: outputs.TableName ?? '',
      random: systemRandom,
    },
    post,
    async call(method, request) {
      const answer = await post(method, JSON.stringify(request), { 'content-type': 'application/json' })
      return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
    },
  }
}

/** The stores of a table, as the functions build them; contents must be small enough for the table. */
export function storesOf(table: Table, clock = systemClock) {
  const objects = () => Promise.reject(new Error('this test has no bucket'))
  return {
    content: awsContentStore({ table, objects, clock }),
    queue: dynamoQueueStore(table, clock),
    calls: dynamoWebhookStore(table, clock),
    mailboxes: dynamoMailboxStore(table, clock),
  }
}
