import type { Clock } from '../../base/clock.ts'
import type { Feedback, FeedbackStore } from '../../reception/feedback.ts'
import { newCallItem, renumbered } from './call-items.ts'
import { type Action, type Change, getItem, type Item, type Table } from './dynamo.ts'
import { newMailItem } from './mail-items.ts'
import { changeMailboxes } from './mailbox-changes.ts'
import { historyChange, suppressionItem } from './suppression-items.ts'
import { indexSort, keys } from './table.ts'

/** Feedback in DynamoDB: a mail and what it says of a message of the account. */
export function dynamoFeedbackStore(table: Table, clock: Clock): FeedbackStore {
  return {
    async take({ mail }, wanted) {
      const { account, mailbox, id } = mail
      const item = await newMailItem(mail)
      let feedback = wanted
      return await changeMailboxes(table, clock, account, async (refused) => {
        // The call is the first of the plan's own actions, where there is one.
        if (refused.includes(0) && feedback.call) feedback = { ...feedback, call: renumbered(feedback.call) }
        else if (refused.length > 0 && feedback.otherwise) feedback = feedback.otherwise
        const message = await getItem(table, keys.message(account, feedback.message.id))
        const actions = actionsOf(feedback, message, id)
        return {
          result: feedback.call,
          steps: [{ change: 'added', mailbox, id }],
          actions: ([place]) => [...actions, { put: { ...item, ...place } }],
        }
      })
    },
  }
}

function actionsOf(feedback: Feedback, message: Item | undefined, mailId: number): readonly Action[] {
  const { call, suppression, failed, result } = feedback
  const { account, recipient } = feedback.message
  return [
    ...(call ? [{ put: newCallItem(call) }] : []),
    ...(suppression ? [{ put: suppressionItem(suppression) }] : []),
    ...(failed
      ? [{ change: historyChange(account, recipient, { ended: 'failed', at: result.startedAt }) }]
      : []),
    ...(message?.state === 'done' ? [{ change: remember(feedback, message, mailId) }] : []),
  ]
}

/** Success becomes failure, and the retired list shows the message by its last activity. */
function remember({ message, result, failed }: Feedback, item: Item, mailId: number): Change {
  const startedAt = new Date(result.startedAt).toISOString()
  const isListed = item.retired !== undefined
  return {
    key: keys.message(message.account, message.id),
    update: `SET #results.#d${mailId} = :result, #lastActivityAt = :startedAt${failed ? ', #success = :false' : ''}${
      isListed ? ', #retiredAt = :retiredAt' : ''
    }`,
    condition: '#state = :done',
    values: {
      result: { ...result, startedAt },
      startedAt,
      done: 'done',
      ...(failed && { false: false }),
      ...(isListed && { retiredAt: indexSort(result.startedAt, message.id) }),
    },
  }
}
