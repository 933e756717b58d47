import type { RowLists } from '../../attempts/row-lists.ts'
import type { Clock } from '../../base/clock.ts'
import type { QueuedMessage } from '../../queue/queued-message.ts'
import { dynamoRowLists } from './attempt-lists.ts'
import { getItems, type Table } from './dynamo.ts'
import { messageFormat } from './message-items.ts'
import { keys } from './table.ts'

/** Queued and retired messages as lists. */
export function dynamoMessageLists(table: Table, clock: Clock): RowLists<QueuedMessage> {
  return dynamoRowLists(table, messageFormat, clock, (rows) => withoutUncommitted(table, rows))
}

/** Rows of a Send with several recipients exist for nobody until it is committed. */
async function withoutUncommitted(
  table: Table,
  rows: readonly QueuedMessage[],
): Promise<readonly QueuedMessage[]> {
  const open = rows.filter((row) => row.recipients > 1 && row.attempts === 0)
  const bases = [...new Set(open.map((row) => row.base))]
  const decisions = await getItems(table, bases.map(keys.decision), 'eventual')
  const committed = new Set(decisions.filter((item) => item.kind === 'committed').map((item) => item.pk))
  return rows.filter((row) => !open.includes(row) || committed.has(keys.decision(row.base).pk))
}
