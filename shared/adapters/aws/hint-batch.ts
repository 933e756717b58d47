import type { SQSBatchResponse, SQSEvent, SQSRecordAttributes } from 'aws-lambda'
import { type Hint, parseHint } from '../../attempts/hint-channel.ts'
import type { Log } from '../../base/log.ts'

/**
 * Follows the hints of one SQS batch side by side. A hint that fails is reported alone (partial batch response)
 * and comes again; after five times it rests in the dead-letter queue, and the sweep still knows its row. A hint
 * that waited longer than `longestWaitMs` is dropped, for the sweep to give again when its row's turn comes.
 */
export function followHints(
  follow: (hint: Hint) => Promise<void>,
  log: Log,
  longestWaitMs = Number.POSITIVE_INFINITY,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async (event) => {
    const failures = await Promise.all(
      event.Records.map(async ({ messageId, body, attributes }) => {
        try {
          if (waitedMs(attributes) > longestWaitMs) return []
          await follow(parseHint(body))
          return []
        } catch (error) {
          log.error('a hint could not be followed', error, { hint: body })
          return [{ itemIdentifier: messageId }]
        }
      }),
    )
    return { batchItemFailures: failures.flat() }
  }
}

/** Until it was received first: what came back after a failure is followed, or it would never end as a dead letter. */
function waitedMs({ SentTimestamp, ApproximateFirstReceiveTimestamp }: SQSRecordAttributes): number {
  return Number(ApproximateFirstReceiveTimestamp) - Number(SentTimestamp)
}
