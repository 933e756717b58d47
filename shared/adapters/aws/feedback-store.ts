import type { Clock } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { FeedbackStore } from '../../reception/feedback.ts'
import { getItem, type Table } from './dynamo.ts'
import { feedbackActions, historyKey, rememberChange } from './feedback-actions.ts'
import { newMailItem } from './mail-items.ts'
import { changeMailboxes } from './mailbox-changes.ts'
import { supersedeActions } from './supersede.ts'
import { keys } from './table.ts'
import { withoutRefused } from './without-refused.ts'

/** Feedback in DynamoDB: a mail and what it says of a message of the account. */
export function dynamoFeedbackStore(table: Table, clock: Clock): FeedbackStore {
  return {
    async take({ mail }, wanted) {
      const { account, mailbox, id, size } = mail
      const item = await newMailItem(mail)
      let feedback = wanted
      return await changeMailboxes(table, clock, account, async (refused) => {
        feedback = withoutRefused(feedback, refused, 0)
        const [message, history] = await Promise.all([
          getItem(table, keys.message(account, feedback.message.id)),
          feedback.failed ? getItem(table, historyKey(feedback)) : undefined,
        ])
        const lastCall = (message?.lastCall ?? undefined) as RowId | undefined
        const actions = [
          ...feedbackActions(feedback, history),
          ...(message?.state === 'done' ? [{ change: rememberChange(feedback, message, `d${id}`) }] : []),
          ...(await supersedeActions(table, feedback.call, lastCall)),
        ]
        return {
          result: feedback.call,
          steps: [{ change: 'added', mailbox, id, size }],
          actions: ([place]) => [...actions, { put: { ...item, ...place } }],
        }
      })
    },
  }
}
