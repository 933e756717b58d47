import { createHash } from 'node:crypto'
import type { RowId } from '../../base/row-id.ts'
import type { Feedback } from '../../queue/feedback.ts'
import type { SesEventStore } from '../../ses/ses-event-store.ts'
import { resultItem } from './attempt-items.ts'
import { type Action, changeItem, getItem, type Item, type Table, transact } from './dynamo.ts'
import { feedbackActions, historyKey, rememberChange } from './feedback-actions.ts'
import { supersedeActions } from './supersede.ts'
import { keys } from './table.ts'
import { withoutRefused } from './without-refused.ts'

const MOST_RENUMBERINGS = 100

/** What SES tells of messages that it does not end, in DynamoDB. */
export function dynamoSesEventStore(table: Table): SesEventStore {
  return {
    async keepLate(row, result) {
      await changeItem(table, {
        key: keys.message(row.account, row.id),
        update: `SET #results.#${result.attempt} = :result`,
        condition: `attribute_exists(#pk) AND #results.#${result.attempt}.#status IN (:running, :interrupted, :handed)`,
        values: {
          result: resultItem(result),
          ...{ running: 'running', interrupted: 'interrupted', handed: 'handed' },
        },
      })
    },

    async note(wanted, eventId) {
      const place = placeOf(eventId)
      let feedback = wanted
      for (let tries = 0; tries < MOST_RENUMBERINGS; tries++) {
        const { message, call } = feedback
        const item = await getItem(table, keys.message(message.account, message.id))
        if (hasPlace(item, place)) return {}
        if (item?.state !== message.state) return undefined
        const written = await transact(table, await actionsOf(table, feedback, item, place))
        if (written.kind === 'written') return call ? { call } : {}
        feedback = withoutRefused<Feedback>(feedback, written.places, 1)
      }
      throw new Error('what an event of SES causes changed faster than it could be written')
    },
  }
}

async function actionsOf(
  table: Table,
  feedback: Feedback,
  item: Item,
  place: string,
): Promise<readonly Action[]> {
  const history = feedback.failed ? await getItem(table, historyKey(feedback)) : undefined
  const lastCall = item.lastCall as RowId | undefined
  return [
    { change: rememberChange(feedback, item, place) },
    ...feedbackActions(feedback, history),
    ...(await supersedeActions(table, feedback.call, lastCall)),
  ]
}

/** Results of events lie beside those of attempts, under names of one length. */
function placeOf(eventId: string): string {
  return `e${createHash('sha256').update(eventId).digest('hex').slice(0, 16)}`
}

function hasPlace(item: Item | undefined, place: string): boolean {
  const results = item?.results as Readonly<Record<string, unknown>> | undefined
  return results?.[place] !== undefined
}
