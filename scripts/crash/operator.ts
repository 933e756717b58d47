import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { changeItem, type Table } from '../../shared/adapters/aws/dynamo.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { type Key, keys } from '../../shared/adapters/aws/table.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import type { AttemptRow } from '../../shared/attempts/attempt-row.ts'
import { sweep } from '../../shared/attempts/sweep.ts'
import { type Clock, DAY, formatInstant } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { abandonUncommitted } from '../../shared/queue/abandon-uncommitted.ts'
import { attemptHint, type QueuedMessage } from '../../shared/queue/queued-message.ts'
import { callHint, type WebhookCall } from '../../shared/webhook/webhook-call.ts'
import { localSeed } from '../local-postern.ts'
import { operatorHints } from './operator-hints.ts'
import type { Endpoint } from './postern-process.ts'
import type { StoredMail } from './run-record.ts'

/** The kinds of rows: a message for one recipient, and a webhook call. */
type RowKind = 'mail' | 'hook'

/** An unfinished row. */
export interface UnfinishedRow {
  readonly kind: RowKind
  readonly row: AttemptRow
}

/** One who may read and change everything, as the operator of a deployment may. */
export interface Operator {
  /** A hint in flight at a crash comes back, and frees its group, after that time instead of two minutes. */
  shortenVisibility(seconds: number): Promise<void>
  /** Rows that somebody must still look at. */
  unfinished(): Promise<readonly UnfinishedRow[]>
  /** Hints all of them, and clears away what was never committed: nobody may be sending. */
  sweepAll(): Promise<void>
  /** Makes rows due that wait for a later attempt. */
  hasten(rows: readonly UnfinishedRow[]): Promise<void>
  message(id: number): Promise<QueuedMessage | undefined>
  call(id: number): Promise<WebhookCall | undefined>
  mails(): Promise<readonly StoredMail[]>
  close(): void
}

const { account } = localSeed
const ROWS = 100_000
const MAILS_PER_PAGE = 500
const HINT_AGAIN_MS = 5_000

/** Opens the stores of a running Postern. */
export function openOperator({ outputs, ...config }: Endpoint): Operator {
  const dynamodb = new DynamoDBClient(config)
  const sqs = new SQSClient({ ...config, useQueueUrlAsEndpoint: false })
  const s3 = new S3Client({ ...config, forcePathStyle: true })
  const table: Table = { client: dynamodb, name: outputs.TableName ?? '', random: systemRandom }
  const queueUrls = [outputs.DeliveriesQueueUrl ?? '', outputs.WebhooksQueueUrl ?? ''] as const
  const [deliveries, webhooks] = queueUrls.map((url) => operatorHints(sqs, url, HINT_AGAIN_MS))
  if (!deliveries || !webhooks) throw new Error('there are two channels')
  const queue = dynamoQueueStore(table, systemClock)
  const calls = dynamoWebhookStore(table, systemClock)
  // Everything is due for a clock that is ahead of all that waits, and every Send has had its 15 minutes.
  const ahead: Clock = { now: () => systemClock.now() + DAY }
  const content = awsContentStore({
    table,
    objects: async () => removingOnly(s3, outputs.Bucket ?? ''),
    clock: ahead,
  })
  const dispose = (row: QueuedMessage) => abandonUncommitted({ queue, content, clock: ahead }, row)

  return {
    async shortenVisibility(seconds) {
      const Attributes = { VisibilityTimeout: String(seconds) }
      for (const QueueUrl of queueUrls)
        await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }))
    },
    async unfinished() {
      const mails = await queue.due(account, ahead.now(), ROWS)
      const hooks = await calls.due(account, ahead.now(), ROWS)
      return [
        ...mails.map((row) => ({ kind: 'mail', row }) as const),
        ...hooks.map((row) => ({ kind: 'hook', row }) as const),
      ]
    },
    async sweepAll() {
      await sweep({ store: queue, channel: deliveries, hint: attemptHint, dispose }, [account], ahead)
      await sweep({ store: calls, channel: webhooks, hint: callHint }, [account], ahead)
    },
    async hasten(rows) {
      for (const { kind, row } of rows) await makeDue(table, keyOf(kind, row.id), row)
    },
    message: async (id) => await queue.read(account, id as RowId),
    call: async (id) => await calls.read(account, id as RowId),
    mails: async () => await readMails(table),
    close: () => {
      for (const client of [dynamodb, sqs, s3]) client.destroy()
    },
  }
}

function keyOf(kind: RowKind, id: RowId): Key {
  return kind === 'mail' ? keys.message(account, id) : keys.call(account, id)
}

/** Nothing happens to a row that somebody claimed meanwhile. */
async function makeDue(table: Table, key: Key, { state, attempts, nextAt }: AttemptRow): Promise<void> {
  const now = systemClock.now()
  if (state !== 'waiting' || nextAt <= now) return
  await changeItem(table, {
    key,
    update: 'SET #nextAt = :now',
    condition: '#state = :waiting AND #attempts = :attempts',
    values: { now: formatInstant(now), waiting: 'waiting', attempts },
  })
}

async function readMails(table: Table): Promise<readonly StoredMail[]> {
  const store = dynamoMailboxStore(table, systemClock)
  const mails: StoredMail[] = []
  for (let before: RowId | undefined; ; ) {
    const page = await store.list(account, MAILS_PER_PAGE, before)
    mails.push(
      ...page.map(({ id, receivedAt, fields, envelope }) => ({
        id,
        receivedAt,
        messageId: fields.messageId,
        rcptTo: envelope.rcptTo,
      })),
    )
    before = page.at(-1)?.id
    if (before === undefined) return mails
  }
}

/** All that clearing away needs. */
function removingOnly(s3: S3Client, bucket: string) {
  const unused = () => Promise.reject(new Error('the operator only removes objects'))
  return {
    create: unused,
    read: unused,
    remove: async (name: string) =>
      void (await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: name }))),
  }
}
