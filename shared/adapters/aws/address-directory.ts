import type { AddressDirectory } from '../../account/address-directory.ts'
import { changeItem, deleteItem, getItem, putNew, queryItems, type Table } from './dynamo.ts'
import { keys } from './table.ts'

const MOST_ADDRESSES_LISTED = 10_000

/** Addresses in DynamoDB, one item each. */
export function dynamoAddressDirectory(table: Table): AddressDirectory {
  return {
    async find(domain, localpart) {
      const item = await getItem(table, keys.address(domain, localpart))
      return typeof item?.account === 'string' ? item.account : undefined
    },

    async add({ domain, localpart, account }) {
      const inTheWay = await putNew(table, { ...keys.address(domain, localpart), account })
      return inTheWay === undefined || inTheWay.account === account
    },

    async move({ domain, localpart, account }) {
      const moved = await changeItem(table, {
        key: keys.address(domain, localpart),
        update: 'SET #account = :account',
        condition: 'attribute_exists(#pk)',
        values: { account },
      })
      return moved !== undefined
    },

    async remove(domain, localpart) {
      return await deleteItem(table, keys.address(domain, localpart), {
        expression: 'attribute_exists(#pk)',
        values: {},
      })
    },

    async list(domain) {
      const items = await queryItems(table, {
        condition: '#pk = :pk',
        values: { pk: keys.address(domain, '').pk },
        limit: MOST_ADDRESSES_LISTED,
      })
      return items.map((item) => ({ domain, localpart: String(item.sk), account: String(item.account) }))
    },
  }
}
