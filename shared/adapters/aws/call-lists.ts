import type { RowLists } from '../../attempts/row-lists.ts'
import type { Clock } from '../../base/clock.ts'
import type { WebhookCall } from '../../webhook/webhook-call.ts'
import { dynamoRowLists } from './attempt-lists.ts'
import { callFormat } from './call-items.ts'
import type { Table } from './dynamo.ts'

/** Queued and retired webhook calls as lists. */
export function dynamoCallLists(table: Table, clock: Clock): RowLists<WebhookCall> {
  return dynamoRowLists(table, callFormat, clock)
}
