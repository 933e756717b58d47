import type { AttemptResult, AttemptRow } from '../../attempts/attempt-row.ts'
import type { AttemptStore, RowEdit } from '../../attempts/attempt-store.ts'
import { type Clock, formatInstant } from '../../base/clock.ts'
import { dueIndex } from '../../runtime/names.ts'
import { claimChange, editChange, isEditedBy } from './attempt-changes.ts'
import { parseRow, type RowFormat } from './attempt-items.ts'
import { changeItem, getItem, getItems, type Item, queryItems, type Table } from './dynamo.ts'
import { indexPartition, indexSort } from './table.ts'

/** An AttemptStore in DynamoDB, for any kind of rows. */
export function dynamoAttemptStore<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(table: Table, format: RowFormat<Row, Result, Edit>, clock: Clock): AttemptStore<Row, Result, Edit> {
  return {
    async read(account, id) {
      const item = await getItem(table, format.key(account, id))
      // DynamoDB deletes what has expired days late.
      const isForgotten = typeof item?.expires === 'number' && item.expires * 1000 <= clock.now()
      return item && !isForgotten ? parseRow(format, item) : undefined
    },

    async claim(row, claim) {
      const isMine = (item: Item) => item.owner === claim.lease.owner && item.attempts === claim.attempt
      const item = await changeItem(table, claimChange(format, row, claim), isMine)
      return item && parseRow(format, item)
    },

    async edit(row, edit, by) {
      const item = await changeItem(table, editChange(format, row, edit, by), (stored) =>
        isEditedBy(stored, by),
      )
      return item && parseRow(format, item)
    },

    async due(account, now, limit) {
      const indexed = await queryItems(table, {
        index: dueIndex.name,
        condition: '#due = :due AND #dueAt <= :until',
        values: { due: indexPartition(format.kind, account), until: `${formatInstant(now)}~` },
        limit,
      })
      const items = await getItems(
        table,
        indexed.map((item) => ({ pk: String(item.pk), sk: String(item.sk) })),
      )
      const rows = items.map((item) => parseRow(format, item))
      return rows.filter((row) => row.state !== 'done' || row.owed !== undefined)
    },

    async lookAgain(row, at) {
      const dueAt = indexSort(at, row.id)
      const change = {
        key: format.key(row.account, row.id),
        update: 'SET #dueAt = :dueAt',
        condition: '#state = :state AND #attempts = :attempts AND attribute_exists(#due) AND #dueAt <= :now',
        values: { dueAt, state: row.state, attempts: row.attempts, now: `${formatInstant(clock.now())}~` },
      }
      return (await changeItem(table, change, (item) => item.dueAt === dueAt)) !== undefined
    },

    async setAside(row) {
      await changeItem(table, {
        key: format.key(row.account, row.id),
        update: 'SET #due = :due, #dueAt = :dueAt',
        condition:
          '#attempts = :attempts AND attribute_exists(#hold) AND attribute_not_exists(#owed) AND attribute_exists(#due)',
        values: {
          due: indexPartition(format.kind, row.account, true),
          dueAt: indexSort(row.nextAt, row.id),
          attempts: row.attempts,
        },
      })
    },
  }
}
