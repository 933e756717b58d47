import { createHash, randomUUID } from 'node:crypto'
import {
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type DelayedHint, formatHint, type HintChannel } from '../../attempts/hint-channel.ts'
import { inGroups } from '../../base/in-groups.ts'
import type { Log } from '../../base/log.ts'
import type { LaneChannels } from '../../queue/lane-hint-channel.ts'

const BATCH = 10

/** Hints over SQS. A FIFO queue keeps hints of one group in order and apart in time, and cannot delay them. */
export function sqsHintChannel(
  queueUrl: string,
  log: Log,
  // A queue's URL names a host that need not resolve where an endpoint is set; on AWS both are the same.
  client = new SQSClient({ useQueueUrlAsEndpoint: false }),
): HintChannel {
  const fifo = queueUrl.endsWith('.fifo')
  return {
    async send(hints) {
      const entries = hints.map((hint, place) => (fifo ? fifoEntry(hint, place) : standardEntry(hint, place)))
      const batches: SendMessageBatchRequestEntry[][] = []
      while (entries.length > 0) batches.push(entries.splice(0, BATCH))
      // Batches side by side could overtake each other.
      await inGroups(batches, fifo ? 1 : batches.length, async (batch) => {
        try {
          const answer = await client.send(
            new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch }),
          )
          const failed = answer.Failed?.length ?? 0
          if (failed > 0) log.warn('hints were refused; the sweep will stand in', { failed })
        } catch (error) {
          log.error('hints were not sent; the sweep will stand in', error, { hints: batch.length })
        }
      })
    },

    async depth() {
      const answer = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl: queueUrl,
          AttributeNames: ['ApproximateNumberOfMessages'],
        }),
      )
      return Number(answer.Attributes?.ApproximateNumberOfMessages ?? 0)
    },
  }
}

/** The channels of hints to deliver, by the queues' URLs; one client serves both. */
export function sqsLanes(
  urls: { readonly function: string; readonly direct?: string },
  log: Log,
  client = new SQSClient({ useQueueUrlAsEndpoint: false }),
): LaneChannels {
  return {
    function: sqsHintChannel(urls.function, log, client),
    ...(urls.direct !== undefined && { direct: sqsHintChannel(urls.direct, log, client) }),
  }
}

function standardEntry(hint: DelayedHint, place: number): SendMessageBatchRequestEntry {
  const delaySeconds = Math.ceil((hint.delayMs ?? 0) / 1000)
  return {
    Id: String(place),
    MessageBody: formatHint(hint),
    ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
  }
}

/** A hint sent again within five minutes is meant: nothing is to be dropped as a duplicate. */
function fifoEntry(hint: DelayedHint, place: number): SendMessageBatchRequestEntry {
  return {
    Id: String(place),
    MessageBody: formatHint(hint),
    MessageGroupId: createHash('sha256')
      .update(hint.group ?? hint.account)
      .digest('hex'),
    MessageDeduplicationId: randomUUID(),
  }
}
