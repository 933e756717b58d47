import type { RowId } from '../../base/row-id.ts'
import { rowIdPlus } from '../../base/row-id.ts'
import type { CallResult, WebhookCall } from '../../webhook/webhook-call.ts'
import { newRowItem, type RowFormat } from './attempt-items.ts'
import type { Item } from './dynamo.ts'
import { keys } from './table.ts'

/** How webhook calls lie in the table. */
export const callFormat: RowFormat<WebhookCall, CallResult> = {
  kind: 'hook',
  key: keys.call,
  attributes: ({
    url,
    authorization,
    event,
    body,
    queueMsgId,
    fromId,
    messageId,
    subject,
    extra,
    keepRetiredMs,
  }) => ({
    url,
    authorization,
    event,
    body,
    queueMsgId,
    fromId,
    messageId,
    subject,
    extra,
    keepRetiredMs,
  }),
  parse: (item, common) => {
    const stored = item as unknown as Omit<WebhookCall, keyof typeof common>
    return {
      ...common,
      url: stored.url,
      authorization: stored.authorization,
      event: stored.event,
      body: stored.body,
      queueMsgId: stored.queueMsgId as RowId | 0,
      fromId: stored.fromId,
      messageId: stored.messageId,
      subject: stored.subject,
      extra: stored.extra,
      keepRetiredMs: stored.keepRetiredMs,
    }
  },
}

/** A lost hint costs a call this long. */
const LOST_HINT_MS = 90_000

/** The item of a new call, to be put into the transaction of its cause. */
export function newCallItem(call: WebhookCall): Item {
  return newRowItem(callFormat, call, call.nextAt + LOST_HINT_MS)
}

/** The same call under the next id: another call of the account, of the same millisecond, was faster. */
export function renumbered(call: WebhookCall): WebhookCall {
  return { ...call, id: rowIdPlus(call.id, 1) }
}
