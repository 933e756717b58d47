import type { HintChannel } from '../attempts/hint-channel.ts'
import type { RowName } from '../attempts/row-lists.ts'
import { type Clock, DAY, type Instant } from '../base/clock.ts'
import { type RowId, rowIdAt } from '../base/row-id.ts'
import { storedBodyKeptUntil } from './stored-body.ts'
import { callHint, newCall, type WebhookCall } from './webhook-call.ts'
import type { WebhookStore } from './webhook-store.ts'

/** What an operator does to a finished call: makes a new one that says the same to the same receiver. */
export interface ReplayAction {
  readonly kind: 'replay'
}

export interface ReplayPorts {
  readonly calls: Pick<WebhookStore, 'read' | 'replay'>
  readonly webhooks: HintChannel
  readonly clock: Clock
}

/** A body must outlast the attempts of its new call, which take 32 hours. */
const BODY_NEEDED_MS = 2 * DAY

/**
 * Makes a call anew, under an id of its own; the finished one stays. `by` names the operation, which makes one new
 * call of each. Left alone is what `isMeant` no longer holds for; a superseded call, as a later one tells more; a
 * test; and a call whose large body is not kept for long enough.
 */
export async function replayCall(
  { calls, webhooks, clock }: ReplayPorts,
  { account, id }: RowName,
  by: RowId,
  isMeant: (row: WebhookCall) => boolean,
): Promise<'changed' | 'unchanged'> {
  const row = await calls.read(account, id)
  const now = clock.now()
  if (!row || !isMeant(row) || !isReplayable(row, now)) return 'unchanged'
  const written = await calls.replay(row, repeated(row, now), by)
  if (!written) return 'unchanged'
  await webhooks.send([callHint(written)])
  return 'changed'
}

function isReplayable({ state, supersededBy, test, body }: WebhookCall, now: Instant): boolean {
  if (state !== 'done' || supersededBy !== undefined || test !== undefined) return false
  return 'json' in body || storedBodyKeptUntil(body.stored) >= now + BODY_NEEDED_MS
}

/** It supersedes nothing, and nothing supersedes it: what came later has been told already. */
function repeated(row: WebhookCall, now: Instant): WebhookCall {
  const { account, url, authorization, event, body, queueMsgId, fromId, messageId, subject, extra } = row
  return newCall({
    ...{ account, url, authorization, event, body, queueMsgId, fromId, messageId, subject, extra },
    id: rowIdAt(now, row.id),
    queuedAt: now,
    keepRetiredMs: row.keepRetiredMs,
    supersedes: false,
  })
}
