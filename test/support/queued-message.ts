import { parseAddress } from '../../shared/address/address.ts'
import { rowIdAt } from '../../shared/base/row-id.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'

/** A message that waits for its first attempt, with what a test changes. */
export function queuedMessage(changes: Partial<QueuedMessage> = {}): QueuedMessage {
  const queuedAt = Date.UTC(2026, 5, 1)
  const id = rowIdAt(queuedAt, 1)
  return {
    account: 'shop',
    id,
    state: 'waiting',
    attempts: 0,
    queuedAt,
    nextAt: queuedAt,
    results: [],
    base: id,
    recipients: 1,
    mailFrom: parseAddress('ann@shop.example'),
    recipient: parseAddress('bob@remote.example'),
    fromId: '',
    messageId: '<m@shop.example>',
    subject: 'Hello',
    size: 1000,
    has8bit: false,
    smtputf8: false,
    extra: {},
    transport: '',
    futureRelease: '',
    ...changes,
  }
}
