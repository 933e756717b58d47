import type { WebhookStore } from '../../webhook/webhook-store.ts'
import { attemptReads, hasSettled, keepLateResult, settleChange } from './attempt-items.ts'
import { callFormat } from './call-items.ts'
import { changeItem, type Table } from './dynamo.ts'

/** Webhook calls in DynamoDB. */
export function dynamoWebhookStore(table: Table): WebhookStore {
  return {
    ...attemptReads(table, callFormat),

    async settle(row, settlement) {
      const change = settleChange(callFormat, row, settlement)
      if (await changeItem(table, change, hasSettled(row, settlement))) return 'settled'
      await keepLateResult(table, callFormat, row, settlement.result)
      return 'late'
    },
  }
}
