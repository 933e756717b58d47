import type { Clock } from '../../base/clock.ts'
import type { NoticeStore } from '../../queue/give-notice.ts'
import type { QueuedMessage } from '../../queue/queued-message.ts'
import { type Change, getItem, type Item, type Table } from './dynamo.ts'
import { newMailItem } from './mail-items.ts'
import { changeMailboxes } from './mailbox-changes.ts'
import { indexPartition, keys } from './table.ts'

/** Notices in DynamoDB: a mail, and the mark of its message that it is owed no more. */
export function dynamoNoticeStore(table: Table, clock: Clock): NoticeStore {
  return {
    async give(row, mail) {
      const { account, mailbox, id, size } = mail
      const item = await newMailItem(mail)
      await changeMailboxes(table, clock, account, async () => {
        const message = await getItem(table, keys.message(row.account, row.id))
        if (message?.owed !== row.owed) return { result: undefined, steps: [], actions: () => [] }
        return {
          result: undefined,
          steps: [{ change: 'added', mailbox, id, size }],
          actions: ([place]) => [{ change: given(row, message ?? {}) }, { put: { ...item, ...place } }],
        }
      })
    },
  }
}

/** A finished message leaves the index with its notice; another goes to where its next attempt is due, or to those on hold. */
function given(row: QueuedMessage, { state, nextAt, hold }: Item): Change {
  const isDone = state === 'done'
  const isHeld = hold !== undefined
  return {
    key: keys.message(row.account, row.id),
    update: isDone ? 'REMOVE #owed, #due, #dueAt' : 'SET #due = :due, #dueAt = :dueAt REMOVE #owed',
    condition: `#owed = :owed AND #state = :state AND ${isHeld ? 'attribute_exists(#hold)' : 'attribute_not_exists(#hold)'}`,
    values: {
      owed: row.owed,
      state,
      ...(!isDone && {
        due: indexPartition('mail', row.account, isHeld),
        dueAt: `${String(nextAt)}#${keys.message(row.account, row.id).sk}`,
      }),
    },
  }
}
