import type { AttemptRow } from '../../attempts/attempt-row.ts'
import { rowIdPlus } from '../../base/row-id.ts'
import type { CallResult, WebhookCall } from '../../webhook/webhook-call.ts'
import { newRowItem, type RowFormat } from './attempt-items.ts'
import type { Item } from './dynamo.ts'
import { keys } from './table.ts'

/** How webhook calls lie in the table: what is theirs alone is stored as it is. */
export const callFormat: RowFormat<WebhookCall, CallResult> = {
  kind: 'hook',
  key: keys.call,
  attributes: ownAttributes,
  parse: (item, common) => ({ ...common, ...ownAttributes(item as unknown as OwnAttributes) }),
  edited: () => ({}),
}

type OwnAttributes = Omit<WebhookCall, keyof AttemptRow>

function ownAttributes(call: OwnAttributes): OwnAttributes {
  const { url, authorization, event, body, queueMsgId, fromId, messageId, subject, extra } = call
  const { supersededBy, test } = call
  return {
    ...{ url, authorization, event, body, queueMsgId, fromId, messageId, subject, extra },
    keepRetiredMs: call.keepRetiredMs,
    supersedes: call.supersedes ?? false,
    ...(supersededBy !== undefined && { supersededBy }),
    ...(test !== undefined && { test }),
  }
}

/** The item of a new call, to be put into the transaction of its cause. */
export function newCallItem(call: WebhookCall): Item {
  return newRowItem(callFormat, call)
}

/** The same call under the next id: another call of the account, of the same millisecond, was faster. */
export function renumbered(call: WebhookCall): WebhookCall {
  return { ...call, id: rowIdPlus(call.id, 1) }
}
