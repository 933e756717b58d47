import { randomUUID } from 'node:crypto'
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { type DelayedHint, formatHint, type HintChannel } from '../../shared/attempts/hint-channel.ts'

const BATCH = 10

/**
 * Hints with the operator's permissions. A sweep every second would hint a waiting row again and again: each attempt
 * is hinted once in `pauseMs`. In a FIFO queue each hint is its own group, because a hint that died in flight holds
 * up its group until its visibility ends.
 */
export function operatorHints(sqs: SQSClient, queueUrl: string, pauseMs: number): HintChannel {
  const sentAt = new Map<string, number>()
  const isFifo = queueUrl.endsWith('.fifo')

  function isNews(hint: DelayedHint): boolean {
    const text = formatHint(hint)
    if (performance.now() - (sentAt.get(text) ?? Number.NEGATIVE_INFINITY) < pauseMs) return false
    sentAt.set(text, performance.now())
    return true
  }

  return {
    async send(hints) {
      const entries = hints.filter(isNews).map((hint, place) => ({
        Id: String(place % BATCH),
        MessageBody: formatHint(hint),
        ...(isFifo && { MessageGroupId: randomUUID(), MessageDeduplicationId: randomUUID() }),
      }))
      for (let start = 0; start < entries.length; start += BATCH) {
        const Entries = entries.slice(start, start + BATCH)
        await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
      }
    },
    depth: async () => 0,
  }
}
