import { type Clock, DAY, formatInstant, parseInstant } from '../../base/clock.ts'
import type { FailingStore, WebhookName } from '../../webhook/failing-webhook.ts'
import { changeItem, deleteItem, getItem, type Table } from './dynamo.ts'
import { expiresAtSeconds, type Key, keys } from './table.ts'

/** Longer than any number of days after which a webhook is disabled. */
const REMEMBERED_MS = 60 * DAY

/** Failing webhooks in DynamoDB: an item for each, which its next success deletes. */
export function dynamoFailingStore(table: Table, clock: Clock): FailingStore {
  return {
    async read(webhook) {
      const item = await getItem(table, keyOf(webhook))
      // DynamoDB deletes what has expired days late.
      if (!item || Number(item.expires) * 1000 <= clock.now()) return undefined
      const { since, lastAt, error } = item as unknown as StoredFailing
      return { since: parseInstant(since), lastAt: parseInstant(lastAt), error }
    },

    async note(webhook, before, { since, lastAt, error }) {
      await changeItem(table, {
        key: keyOf(webhook),
        update: 'SET #since = :since, #lastAt = :lastAt, #error = :error, #expires = :expires',
        condition: before ? '#lastAt = :before' : 'attribute_not_exists(#lastAt) OR #expires <= :now',
        values: {
          since: formatInstant(since),
          lastAt: formatInstant(lastAt),
          error,
          expires: expiresAtSeconds(lastAt + REMEMBERED_MS),
          ...(before ? { before: formatInstant(before.lastAt) } : { now: Math.floor(clock.now() / 1000) }),
        },
      })
    },

    async forget(webhook) {
      await deleteItem(table, keyOf(webhook), { expression: 'attribute_exists(#since)', values: {} })
    },
  }
}

function keyOf({ account, direction, url }: WebhookName): Key {
  return keys.failing(account, direction, url)
}

interface StoredFailing {
  readonly since: string
  readonly lastAt: string
  readonly error: string
}
