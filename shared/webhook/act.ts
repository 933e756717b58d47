import { isUnclaimed } from '../attempts/attempt-row.ts'
import type { RowEdit } from '../attempts/attempt-store.ts'
import type { HintChannel } from '../attempts/hint-channel.ts'
import type { RowName } from '../attempts/row-lists.ts'
import type { Clock, Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import { notDelivered } from './superseded.ts'
import { type CallResult, callHint, type WebhookCall } from './webhook-call.ts'
import type { WebhookStore } from './webhook-store.ts'

/** What an operator does to an unfinished call. */
export type CallAction =
  /** Ends a hold, on which a call comes whose attempts were all interrupted. */
  | { readonly kind: 'release' }
  | { readonly kind: 'schedule'; readonly at: Instant }
  | { readonly kind: 'postpone'; readonly byMs: number }
  | { readonly kind: 'cancel' }

export interface CallActPorts {
  readonly calls: Pick<WebhookStore, 'read' | 'edit' | 'cancel'>
  readonly webhooks: HintChannel
  readonly clock: Clock
}

const MOST_RACES = 5

/**
 * Acts on one call, as it is now; one that `isMeant` no longer holds for is left alone, and so is one that a
 * worker has. `by` names the operation: repeated, it changes nothing more.
 */
export async function actOnCall(
  ports: CallActPorts,
  { account, id }: RowName,
  action: CallAction,
  by: RowId,
  isMeant: (row: WebhookCall) => boolean,
): Promise<'changed' | 'unchanged' | 'attempting'> {
  for (let race = 0; race < MOST_RACES; race++) {
    const row = await ports.calls.read(account, id)
    if (!row || row.state === 'done' || !isMeant(row)) return 'unchanged'
    const now = ports.clock.now()
    if (!isUnclaimed(row, now)) return 'attempting'
    if (action.kind === 'release' && !row.hold) return 'unchanged'
    const isChanged = await (action.kind === 'cancel'
      ? cancel(ports, row, by, now)
      : edit(ports, row, editOf(row, action, now), by, now))
    if (isChanged) return 'changed'
  }
  return 'attempting'
}

function editOf(
  row: WebhookCall,
  action: Exclude<CallAction, { readonly kind: 'cancel' }>,
  now: Instant,
): RowEdit {
  if (action.kind === 'release') return { releasedAt: now }
  return { nextAt: action.kind === 'schedule' ? action.at : row.nextAt + action.byMs }
}

/** What is due later is found by the sweep: a queue that keeps calls in order cannot delay one of them. */
async function edit(
  { calls, webhooks }: CallActPorts,
  row: WebhookCall,
  changes: RowEdit,
  by: RowId,
  now: Instant,
): Promise<boolean> {
  const edited = await calls.edit(row, changes, by)
  if (edited && !edited.hold && edited.nextAt <= now) await webhooks.send([callHint(edited)])
  return edited !== undefined
}

async function cancel({ calls }: CallActPorts, row: WebhookCall, by: RowId, now: Instant): Promise<boolean> {
  const result: CallResult = {
    attempt: row.attempts,
    startedAt: now,
    durationMs: 0,
    status: 'permanent',
    code: 0,
    error: 'canceled by an operator',
    url: row.url,
    response: '',
  }
  return await calls.cancel(row, { kind: 'retire', result, retired: notDelivered(row, now) }, by)
}
