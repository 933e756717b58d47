import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { LocalCloud } from '../../../infra/local/boot.ts'
import { sqsHintChannel } from '../../../shared/adapters/aws/hint-channel.ts'
import { dynamoWebhookStore } from '../../../shared/adapters/aws/webhook-store.ts'
import { systemClock } from '../../../shared/adapters/system/clock.ts'
import { jsonLog } from '../../../shared/adapters/system/log.ts'
import { systemRandom } from '../../../shared/adapters/system/random.ts'
import { inGroups } from '../../../shared/base/in-groups.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { callHint, newCall, type WebhookCall } from '../../../shared/webhook/webhook-call.ts'
import { localSeed } from '../../local-postern.ts'
import type { Receivers } from './receiver.ts'

/** Calls spread evenly over URLs, of which some never answer. */
export interface Load {
  readonly calls: number
  readonly urls: number
  readonly hanging: number
}

/** Calls that wait, and nobody knows yet. */
interface QueuedCalls {
  readonly added: readonly WebhookCall[]
  readonly giveHints: () => Promise<void>
}

const WRITTEN_AT_ONCE = 25
const IDS_IN_A_MILLISECOND = 4096
const ASKED_EVERY_MS = 20
/** A hint whose worker dies comes again after two minutes. */
const STUCK_MS = 150_000

/** Queues the calls to those URLs that are wanted, to each in turn; their hints are given as acceptance does. */
export async function queueCalls(
  cloud: Pick<LocalCloud, 'clientConfig' | 'outputs'>,
  receivers: Receivers,
  load: Load,
  wanted: 'answering' | 'hanging' | 'all',
): Promise<QueuedCalls> {
  const client = new DynamoDBClient(cloud.clientConfig())
  const table = { client, name: cloud.outputs.TableName ?? '', random: systemRandom }
  const store = dynamoWebhookStore(table, systemClock)
  const sqs = new SQSClient({ ...cloud.clientConfig(), useQueueUrlAsEndpoint: false })
  const channel = sqsHintChannel(cloud.outputs.WebhooksQueueUrl ?? '', jsonLog, sqs)
  const now = systemClock.now()
  const drawn = Array.from({ length: load.calls }, (_, place) => {
    const hangs = place % load.urls < load.hanging
    const path = `${hangs ? 'hanging' : 'answering'}/${place % load.urls}`
    return { hangs, call: callTo(`${receivers.url}/${path}`, place, now) }
  })
  const calls = drawn.filter(({ hangs }) => wanted === 'all' || hangs === (wanted === 'hanging'))
  const added = await inGroups(calls, WRITTEN_AT_ONCE, ({ call }) => store.add(call))
  client.destroy()
  return {
    added,
    giveHints: async () => {
      await channel.send(added.map(callHint))
      sqs.destroy()
    },
  }
}

function callTo(url: string, place: number, now: number): WebhookCall {
  return newCall({
    account: localSeed.account,
    id: rowIdAt(now + Math.floor(place / IDS_IN_A_MILLISECOND), place),
    queuedAt: now,
    url,
    authorization: '',
    event: 'delivered',
    body: { json: '{"Version":0,"Event":"delivered"}' },
    queueMsgId: 0,
    fromId: '',
    messageId: '',
    subject: '',
    extra: {},
    keepRetiredMs: 0,
    supersedes: false,
  })
}

/** Waits until `count` more calls were answered; says how many a second that were. Throws when none come. */
export async function answersPerSecond(
  receivers: Receivers,
  count: number,
  onProgress: (answered: number, seconds: number) => void = () => {},
): Promise<number> {
  const before = receivers.answered()
  const startedMs = performance.now()
  let seen = 0
  let seenMs = startedMs
  while (seen < count) {
    await sleep(ASKED_EVERY_MS)
    const answered = receivers.answered() - before
    if (answered > seen) seenMs = performance.now()
    seen = answered
    onProgress(seen, (performance.now() - startedMs) / 1000)
    if (performance.now() - seenMs > STUCK_MS) {
      throw new Error(`${seen} of ${count} calls were answered, and none more within ${STUCK_MS / 1000} s`)
    }
  }
  return count / ((performance.now() - startedMs) / 1000)
}
