import type { CounterName, CounterStore } from '../../limits/counter-store.ts'
import { changeItem, getItem, getItems, type Item, queryItems, type Table } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** More than there are periods of one subject. */
const MOST_PERIODS = 1000

/** Counters in DynamoDB, one item for each period. */
export function dynamoCounterStore(table: Table): CounterStore {
  return {
    async read(names) {
      const [only] = names
      if (only && names.length === 1) return [countOf(await getItem(table, keyOf(only)))]
      const found = await getItems(table, names.map(keyOf))
      const counts = new Map(found.map((item) => [`${item.pk}\n${item.sk}`, countOf(item)]))
      return names.map((name) => {
        const { pk, sk } = keyOf(name)
        return counts.get(`${pk}\n${sk}`) ?? 0
      })
    },

    async sum(subject, since) {
      const { pk, sk } = keyOf({ subject, since })
      const items = await queryItems(table, {
        condition: '#pk = :pk AND #sk >= :sk',
        values: { pk, sk },
        limit: MOST_PERIODS,
      })
      return items.reduce((sum, item) => sum + countOf(item), 0)
    },

    /** A write whose answer was lost is repeated, and counts twice: a limit comes a little early, never late. */
    async add(name, amount, expiresAt) {
      await changeItem(table, {
        key: keyOf(name),
        update: 'ADD #count :amount SET #expires = :expires',
        values: { amount, expires: expiresAtSeconds(expiresAt) },
      })
    },

    async reset(name, count) {
      const changed = await changeItem(table, {
        key: keyOf(name),
        update: 'SET #count = :none',
        condition: '#count = :count',
        values: { none: 0, count },
      })
      return changed !== undefined
    },
  }
}

function keyOf({ subject, since }: CounterName) {
  return keys.counter(subject, since)
}

function countOf(item: Item | undefined): number {
  return typeof item?.count === 'number' ? item.count : 0
}
