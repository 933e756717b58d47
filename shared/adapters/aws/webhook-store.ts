import type { Settlement } from '../../attempts/attempt-store.ts'
import type { Clock } from '../../base/clock.ts'
import { notDelivered } from '../../webhook/superseded.ts'
import type { CallResult, WebhookCall } from '../../webhook/webhook-call.ts'
import type { WebhookStore } from '../../webhook/webhook-store.ts'
import { cancelChange, hasSettled, keepLateResult, settleChange } from './attempt-changes.ts'
import { dynamoAttemptStore } from './attempt-store.ts'
import { callFormat, newCallItem, renumbered } from './call-items.ts'
import { type Change, changeItem, type Table, transact } from './dynamo.ts'

/** Webhook calls in DynamoDB. */
export function dynamoWebhookStore(table: Table, clock: Clock): WebhookStore {
  return {
    ...dynamoAttemptStore(table, callFormat, clock),

    async settle(row, settlement) {
      const change = settleChange(callFormat, row, settlement)
      const retry = { ...change, condition: `${change.condition} AND attribute_not_exists(#supersededBy)` }
      const wanted = settlement.kind === 'retry' ? retry : change
      if (await changeItem(table, wanted, hasSettled(row, settlement))) return 'settled'
      if (settlement.kind === 'retry' && (await settleSuperseded(table, row, settlement.result)))
        return 'settled'
      await keepLateResult(table, callFormat, row, settlement.result)
      return 'late'
    },

    async cancel(row, settlement, by) {
      const change = cancelChange(callFormat, row, settlement, by)
      return (await changeItem(table, change, hasSettled(row, settlement, by))) !== undefined
    },

    // A transaction even of one write: the SDK's repetition of it is none then.
    async add(first) {
      for (let call = first; ; call = renumbered(call)) {
        const { kind } = await transact(table, [{ put: newCallItem(call) }])
        if (kind === 'written') return call
      }
    },

    async replay(finished, again, by) {
      const mark: Change = {
        key: callFormat.key(finished.account, finished.id),
        update: 'ADD #operations :operations',
        condition: '#state = :done AND NOT contains(#operations, :by)',
        values: { operations: new Set([by]), done: 'done', by },
      }
      for (let call = again; ; call = renumbered(call)) {
        const written = await transact(table, [{ change: mark }, { put: newCallItem(call) }])
        if (written.kind === 'written') return call
        if (written.places.includes(0)) return undefined
      }
    },
  }
}

/** A call that was superseded while it was made is not made again; false when it was not ours to end. */
async function settleSuperseded(table: Table, row: WebhookCall, result: CallResult): Promise<boolean> {
  const now = result.startedAt + result.durationMs
  const settlement: Settlement<CallResult> = {
    kind: 'retire',
    result: { ...result, error: `${result.error} (superseded)` },
    retired: notDelivered(row, now),
  }
  const change = settleChange(callFormat, row, settlement)
  const ended = { ...change, condition: `${change.condition} AND attribute_exists(#supersededBy)` }
  return (await changeItem(table, ended, hasSettled(row, settlement))) !== undefined
}
