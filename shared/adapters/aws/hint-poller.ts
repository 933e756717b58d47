import { setTimeout as sleep } from 'node:timers/promises'
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type Hint, parseHint } from '../../attempts/hint-channel.ts'
import type { Log } from '../../base/log.ts'

interface HintPollerOptions {
  readonly queueUrl: string
  readonly follow: (hint: Hint) => Promise<void>
  /** So many hints are followed at a time; each ends before the queue's visibility time-out does. */
  readonly most: number
  readonly log: Log
  readonly client?: SQSClient
}

/** A process that follows hints. */
export interface HintPoller {
  /** Takes no more hints, and waits until those in work are over, at most so long; says whether they were. */
  stop(withinMs: number): Promise<boolean>
}

/** The most that SQS hands out at a time. */
const BATCH = 10
/** The longest that it waits for the first. */
const WAIT_SECONDS = 20
const PAUSE_AFTER_ERROR_MS = 1_000

/**
 * Follows hints side by side, as `followHints` does in functions: what was followed is deleted, what failed comes again
 * when its visibility time-out is over, and rests in the dead-letter queue after five times.
 */
export function pollHints(options: HintPollerOptions): HintPoller {
  // A queue's URL names a host that need not resolve where an endpoint is set; on AWS both are the same.
  const { client = new SQSClient({ useQueueUrlAsEndpoint: false }), most, log } = options
  const ending = new AbortController()
  const { signal } = ending
  const inWork = new Set<Promise<void>>()

  const take = (message: Message) => {
    const work = followOne(options, client, message).finally(() => inWork.delete(work))
    inWork.add(work)
  }
  const fill = async () => {
    const messages = await receive(client, options.queueUrl, most - inWork.size, signal)
    if (!signal.aborted) messages.forEach(take)
  }
  const afterError = async (error: unknown) => {
    if (signal.aborted) return
    log.error('no hints were received', error)
    await sleep(PAUSE_AFTER_ERROR_MS, undefined, { signal }).catch(() => {})
  }
  const poll = async () => {
    while (!signal.aborted) await (inWork.size < most ? fill().catch(afterError) : Promise.race(inWork))
  }
  void poll()

  return {
    async stop(withinMs) {
      // Hints that are on their way meanwhile come again; long before that, the sweep finds their rows.
      ending.abort()
      const timer = new AbortController()
      const late = sleep(withinMs, undefined, { signal: timer.signal }).catch(() => {})
      await Promise.race([Promise.all(inWork), late])
      timer.abort()
      return inWork.size === 0
    },
  }
}

async function receive(
  client: SQSClient,
  QueueUrl: string,
  most: number,
  abortSignal: AbortSignal,
): Promise<readonly Message[]> {
  const request = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: Math.min(BATCH, most),
    WaitTimeSeconds: WAIT_SECONDS,
  })
  const { Messages = [] } = await client.send(request, { abortSignal })
  return Messages
}

/** Never throws. */
async function followOne(
  { queueUrl, follow, log }: HintPollerOptions,
  client: SQSClient,
  { Body = '', ReceiptHandle }: Message,
): Promise<void> {
  try {
    await follow(parseHint(Body))
    await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }))
  } catch (error) {
    log.error('a hint could not be followed', error, { hint: Body })
  }
}
