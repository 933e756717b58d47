import { rowIdAt } from '../../../shared/base/row-id.ts'
import type { WebhookCall } from '../../../shared/webhook/webhook-call.ts'

/** A call that waits for its first attempt, with what a test changes. */
export function webhookCall(changes: Partial<WebhookCall> = {}): WebhookCall {
  const queuedAt = Date.UTC(2026, 5, 1)
  return {
    account: 'shop',
    id: rowIdAt(queuedAt, 1),
    state: 'waiting',
    attempts: 0,
    queuedAt,
    nextAt: queuedAt,
    results: [],
    url: 'https://shop.example/hook',
    authorization: 'Bearer secret',
    event: 'delivered',
    body: { json: '{"Event":"delivered"}' },
    queueMsgId: rowIdAt(queuedAt, 7),
    fromId: '',
    messageId: '<m@shop.example>',
    subject: 'Hello',
    extra: {},
    supersedes: true,
    keepRetiredMs: 0,
    ...changes,
  }
}
