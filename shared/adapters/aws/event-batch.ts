import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import type { Log } from '../../base/log.ts'

/**
 * Takes the events of one SQS batch one after the other, as several may be about one message. One that fails is
 * reported alone (partial batch response), comes again, and after five times rests in the dead-letter queue.
 */
export function takeBatch(
  take: (body: string) => Promise<void>,
  log: Log,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records: records }) => {
    const batchItemFailures: { itemIdentifier: string }[] = []
    for (const { messageId, body } of records) {
      try {
        await take(body)
      } catch (error) {
        log.error('an event could not be taken', error, { messageId })
        batchItemFailures.push({ itemIdentifier: messageId })
      }
    }
    return { batchItemFailures }
  }
}
