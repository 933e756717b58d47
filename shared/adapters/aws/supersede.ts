import type { RowId } from '../../base/row-id.ts'
import { supersededEnd } from '../../webhook/superseded.ts'
import type { WebhookCall } from '../../webhook/webhook-call.ts'
import { cancelChange } from './attempt-changes.ts'
import { parseRow } from './attempt-items.ts'
import { callFormat } from './call-items.ts'
import { type Action, type Change, getItem, type Table } from './dynamo.ts'
import { keys } from './table.ts'

/** A change of a message, which also remembers its newest call: the next one may supersede it. */
export function notingCall(change: Change, call: WebhookCall | undefined): Change {
  if (!call?.supersedes) return change
  return {
    ...change,
    update: change.update.replace(/^SET /, 'SET #lastCall = :lastCall, '),
    values: { ...change.values, lastCall: call.id },
  }
}

/**
 * What is written together with a call that supersedes the message's last one: a call that waits ends; one that is
 * being made ends with its attempt, however that goes. It fails when the last call has moved on meanwhile.
 */
export async function supersedeActions(
  table: Table,
  call: WebhookCall | undefined,
  lastCall: RowId | undefined,
): Promise<readonly Action[]> {
  if (!call?.supersedes || lastCall === undefined) return []
  const item = await getItem(table, keys.call(call.account, lastCall))
  const last = item && parseRow(callFormat, item)
  if (!last || last.state === 'done' || last.id === call.id) return []
  const values = { supersededBy: call.id }
  if (last.state === 'attempting') {
    const change = {
      key: keys.call(last.account, last.id),
      update: 'SET #supersededBy = :supersededBy',
      condition: '#state = :attempting AND #attempts = :attempts',
      values: { ...values, attempting: 'attempting', attempts: last.attempts },
    }
    return [{ change }]
  }
  const end = cancelChange(callFormat, last, supersededEnd(last, call.id, call.queuedAt), call.id)
  const update = end.update.replace(/^SET /, 'SET #supersededBy = :supersededBy, ')
  return [{ change: { ...end, update, values: { ...end.values, ...values } } }]
}
