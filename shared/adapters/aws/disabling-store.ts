import type { OptionsStore } from '../../account/options-store.ts'
import type { Clock } from '../../base/clock.ts'
import type { DisablingStore } from '../../disabling/disable-failing.ts'
import type { Table } from './dynamo.ts'
import { newMailItem } from './mail-items.ts'
import { changeMailboxes } from './mailbox-changes.ts'
import { versionActions } from './options-store.ts'

/** Disables webhooks in DynamoDB: the next version of the options and the notice are one transaction. */
export function dynamoDisablingStore(
  table: Table,
  options: Pick<OptionsStore, 'readNewest'>,
  clock: Clock,
): DisablingStore {
  return {
    async disable(mail, edit) {
      const { account, mailbox, id, size } = mail
      const item = await newMailItem(mail)
      return await changeMailboxes(table, clock, account, async () => {
        const before = await options.readNewest()
        const after = edit(before)
        if (!after) return { result: false, steps: [], actions: () => [] }
        const version = await versionActions({ ...after, version: before.version + 1 }, clock)
        return {
          result: true,
          steps: [{ change: 'added', mailbox, id, size }],
          actions: ([place]) => [...version, { put: { ...item, ...place } }],
        }
      })
    },
  }
}
