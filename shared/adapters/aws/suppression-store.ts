import { formatUnicodeAddress } from '../../address/address.ts'
import { baseAddress } from '../../suppression/base-address.ts'
import type { SuppressionStore } from '../../suppression/suppression-store.ts'
import { deleteItem, getItem, getItems, putNew, queryItems, type Table } from './dynamo.ts'
import { parseHistory, parseSuppression, suppressionItem } from './suppression-items.ts'
import { keys } from './table.ts'

const MOST_LISTED = 100_000

/** Suppression lists in DynamoDB, one item per account and base address. */
export function dynamoSuppressionStore(table: Table): SuppressionStore {
  return {
    async list(account) {
      const items = await queryItems(table, {
        condition: '#pk = :pk',
        values: { pk: keys.suppression(account, '').pk },
        limit: MOST_LISTED,
      })
      return items.map(parseSuppression).sort((a, b) => a.id - b.id)
    },

    async page(account, { after, limit }) {
      const items = await queryItems(table, {
        condition: after === undefined ? '#pk = :pk' : '#pk = :pk AND #sk > :after',
        values: { pk: keys.suppression(account, '').pk, ...(after !== undefined && { after }) },
        limit,
      })
      return items.map(parseSuppression)
    },

    async add(suppression) {
      const inTheWay = await putNew(table, suppressionItem(suppression))
      return inTheWay === undefined || inTheWay.id === suppression.id
    },

    async remove(account, base) {
      return await deleteItem(table, keys.suppression(account, base), {
        expression: 'attribute_exists(#pk)',
        values: {},
      })
    },

    async find(account, base) {
      const item = await getItem(table, keys.suppression(account, base))
      return item && parseSuppression(item)
    },

    async findAll(wanted) {
      const items = await getItems(
        table,
        wanted.map(({ account, baseAddress: base }) => keys.suppression(account, base)),
      )
      return items.map(parseSuppression)
    },

    async standings(account, recipients) {
      const suppressions = recipients.map((recipient) => keys.suppression(account, baseAddress(recipient)))
      const histories = recipients.map((recipient) =>
        keys.recipient(account, formatUnicodeAddress(recipient)),
      )
      const items = await getItems(table, [...new Map([...suppressions, ...histories].map(byText)).values()])
      const found = new Map(items.map((item) => [`${item.pk}\n${item.sk}`, item]))
      return recipients.map((_, place) => {
        const suppression = found.get(textOf(suppressions[place]))
        return {
          ...(suppression && { suppression: parseSuppression(suppression) }),
          ...parseHistory(found.get(textOf(histories[place]))),
        }
      })
    },
  }
}

interface AnyKey {
  readonly pk: string
  readonly sk: string
}

/** A batch may name a key once only. */
function byText(key: AnyKey): readonly [string, AnyKey] {
  return [textOf(key), key]
}

function textOf(key: AnyKey | undefined): string {
  return key ? `${key.pk}\n${key.sk}` : ''
}
