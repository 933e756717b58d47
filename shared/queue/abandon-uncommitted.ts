import { type Clock, DAY, MINUTE } from '../base/clock.ts'
import { type ContentStore, queueContent } from '../content/content-store.ts'
import type { QueueStore } from './queue-store.ts'
import type { QueuedMessage } from './queued-message.ts'

/** Longer than any Send can run: API Gateway gives it 30 seconds. */
const GIVEN_UP_AFTER = 15 * MINUTE
const DECISION_KEPT = 7 * DAY

/**
 * Clears away a row whose Send with several recipients died before it was committed: after 15 minutes the Send
 * is aborted for good, by the same create-once item that would have committed it, and its rows go one by one.
 * True when the row is no work: waiting for a decision, or gone.
 */
export async function abandonUncommitted(
  ports: { readonly queue: QueueStore; readonly content: ContentStore; readonly clock: Clock },
  row: QueuedMessage,
): Promise<boolean> {
  if (row.recipients === 1 || row.attempts > 0) return false
  const { queue, clock } = ports
  const decided = await queue.decision(row.base)
  if (decided?.kind === 'committed') return false

  const givenUpAt = row.queuedAt + GIVEN_UP_AFTER
  if (!decided && clock.now() < givenUpAt) {
    await queue.lookAgain(row, givenUpAt)
    return true
  }
  const decision = await queue.decide(row.base, { kind: 'aborted' }, clock.now() + DECISION_KEPT)
  if (decision.kind === 'committed') return false
  await queue.removeUnattempted(row)
  await ports.content.remove(queueContent(row.base))
  return true
}
