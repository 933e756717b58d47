import { formatUnicodeAddress } from '../../address/address.ts'
import type { Feedback } from '../../queue/feedback.ts'
import { newCallItem } from './call-items.ts'
import type { Action, Change, Item } from './dynamo.ts'
import { notingCall } from './supersede.ts'
import { suppressionItem, takenBackChange } from './suppression-items.ts'
import { indexSort, type Key, keys } from './table.ts'

/** Where it lies how the recipient of the message fared. */
export function historyKey({ message }: Feedback): Key {
  return keys.recipient(message.account, formatUnicodeAddress(message.recipient))
}

/**
 * What feedback writes beside its message, in the order that `withoutRefused` wants: the call first, then the
 * suppression. `history` is the item under {@link historyKey}.
 */
export function feedbackActions(feedback: Feedback, history: Item | undefined): readonly Action[] {
  const { call, suppression, failed, result, message } = feedback
  const { account, id, recipient } = message
  return [
    ...(call ? [{ put: newCallItem(call) }] : []),
    ...(suppression ? [{ put: suppressionItem(suppression) }] : []),
    ...(failed
      ? [{ change: takenBackChange(account, recipient, { id, at: result.startedAt }, history) }]
      : []),
  ]
}

/**
 * Keeps the result at a place of its own in the history of the message, once. Of a finished one, success becomes
 * failure, and the retired list shows it by its last activity. `item` is the message as stored.
 */
export function rememberChange(
  { message, result, failed, call }: Feedback,
  item: Item,
  place: string,
): Change {
  const startedAt = new Date(result.startedAt).toISOString()
  const isDone = item.state === 'done'
  const isListed = item.retired !== undefined
  const change = {
    key: keys.message(message.account, message.id),
    update: `SET #results.#${place} = :result${isDone ? ', #lastActivityAt = :startedAt' : ''}${
      failed ? ', #success = :false' : ''
    }${isListed ? ', #retiredAt = :retiredAt' : ''}`,
    condition: `#state = :state AND attribute_not_exists(#results.#${place})`,
    values: {
      result: { ...result, startedAt },
      state: item.state,
      ...(isDone && { startedAt }),
      ...(failed && { false: false }),
      ...(isListed && { retiredAt: indexSort(result.startedAt, message.id) }),
    },
  }
  return notingCall(change, call)
}
