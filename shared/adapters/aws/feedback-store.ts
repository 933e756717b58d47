import { formatUnicodeAddress } from '../../address/address.ts'
import type { Clock } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { Feedback, FeedbackStore } from '../../reception/feedback.ts'
import { newCallItem } from './call-items.ts'
import { type Action, type Change, getItem, type Item, type Table } from './dynamo.ts'
import { newMailItem } from './mail-items.ts'
import { changeMailboxes } from './mailbox-changes.ts'
import { notingCall, supersedeActions } from './supersede.ts'
import { suppressionItem, takenBackChange } from './suppression-items.ts'
import { indexSort, keys } from './table.ts'
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
          feedback.failed ? getItem(table, keys.recipient(account, recipientOf(feedback))) : undefined,
        ])
        const lastCall = (message?.lastCall ?? undefined) as RowId | undefined
        const actions = [
          ...actionsOf(feedback, message, history, id),
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

function recipientOf({ message }: Feedback): string {
  return formatUnicodeAddress(message.recipient)
}

function actionsOf(
  feedback: Feedback,
  message: Item | undefined,
  history: Item | undefined,
  mailId: number,
): readonly Action[] {
  const { call, suppression, failed, result } = feedback
  const { account, id, recipient } = feedback.message
  return [
    ...(call ? [{ put: newCallItem(call) }] : []),
    ...(suppression ? [{ put: suppressionItem(suppression) }] : []),
    ...(failed
      ? [{ change: takenBackChange(account, recipient, { id, at: result.startedAt }, history) }]
      : []),
    ...(message?.state === 'done' ? [{ change: notingCall(remember(feedback, message, mailId), call) }] : []),
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
