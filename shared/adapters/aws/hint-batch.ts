import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { type Hint, parseHint } from '../../attempts/hint-channel.ts'
import type { Log } from '../../base/log.ts'

/**
 * Follows the hints of one SQS batch side by side. A hint that fails is reported alone (partial batch response)
 * and comes again; after five times it rests in the dead-letter queue, and the sweep still knows its row.
 */
export function followHints(
  follow: (hint: Hint) => Promise<void>,
  log: Log,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async (event) => {
    const failures = await Promise.all(
      event.Records.map(async ({ messageId, body }) => {
        try {
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
