import { DAY } from '../../base/clock.ts'
import { type DayResults, mergeDays, startOfDay } from '../../tls-results/day-results.ts'
import type { ResultsStore } from '../../tls-results/results-store.ts'
import { backOff, changeItem, getItem, type Item, queryItems, type Table } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** After the end of the day. */
const KEPT_MS = 14 * DAY
const MOST_ROUNDS = 10
/** A repeated write comes soon: before so many others. */
const MOST_IDS = 20

/** What TLS came to in DynamoDB: a partition for each day, which is what reports are about (RFC 8460 §4.1). */
export function dynamoTlsResultsStore(table: Table): ResultsStore {
  return {
    async add(results, id) {
      for (let round = 0; round < MOST_ROUNDS; round++) {
        if (round > 0) await backOff(table, round)
        if (await tryToAdd(table, results, id)) return
      }
      throw new Error(`others wrote the TLS results of ${results.recipientDomain} each time`)
    },

    async list(day, recipientDomain, limit) {
      const { pk, sk } = keys.tlsResults(day, recipientDomain ?? '', '')
      const items = await queryItems(table, {
        condition: recipientDomain === undefined ? '#pk = :pk' : '#pk = :pk AND begins_with(#sk, :sk)',
        values: recipientDomain === undefined ? { pk } : { pk, sk },
        limit,
      })
      return items.map(readRow)
    },
  }
}

/** False where somebody else wrote meanwhile. */
async function tryToAdd(table: Table, results: DayResults, id: string): Promise<boolean> {
  const { day, recipientDomain, policyDomain } = results
  const key = keys.tlsResults(day, recipientDomain, policyDomain)
  const item = await getItem(table, key)
  if (item && idsOf(item).includes(id)) return true
  const { isHost, policies } = mergeDays(item ? readRow(item) : { ...results, policies: [] }, results)
  const version = item ? Number(item.version) : undefined
  const after = {
    ...{ day, recipientDomain, policyDomain, isHost, policies },
    ids: [id, ...(item ? idsOf(item) : [])].slice(0, MOST_IDS),
    version: (version ?? 0) + 1,
    expires: expiresAtSeconds(startOfDay(day) + DAY + KEPT_MS),
  }
  const change = {
    key,
    update: `SET ${Object.keys(after).map((name) => `#${name} = :${name}`)}`,
    condition: version === undefined ? 'attribute_not_exists(#version)' : '#version = :before',
    values: { ...after, before: version },
  }
  return (await changeItem(table, change, (there) => idsOf(there).includes(id))) !== undefined
}

function idsOf(item: Item): readonly string[] {
  return item.ids as readonly string[]
}

function readRow(item: Item): DayResults {
  const { day, recipientDomain, policyDomain, isHost, policies } = item as unknown as DayResults
  return { day, recipientDomain, policyDomain, isHost, policies }
}
