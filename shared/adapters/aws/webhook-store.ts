import type { Clock } from '../../base/clock.ts'
import type { WebhookStore } from '../../webhook/webhook-store.ts'
import { cancelChange, hasSettled, keepLateResult, settleChange } from './attempt-changes.ts'
import { dynamoAttemptStore } from './attempt-store.ts'
import { callFormat } from './call-items.ts'
import { changeItem, type Table } from './dynamo.ts'

/** Webhook calls in DynamoDB. */
export function dynamoWebhookStore(table: Table, clock: Clock): WebhookStore {
  return {
    ...dynamoAttemptStore(table, callFormat, clock),

    async settle(row, settlement) {
      const change = settleChange(callFormat, row, settlement)
      if (await changeItem(table, change, hasSettled(row, settlement))) return 'settled'
      await keepLateResult(table, callFormat, row, settlement.result)
      return 'late'
    },

    async cancel(row, settlement, by) {
      const change = cancelChange(callFormat, row, settlement, by)
      return (await changeItem(table, change, hasSettled(row, settlement, by))) !== undefined
    },
  }
}
