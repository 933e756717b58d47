import type { DkimKeyStore } from '../../dkim/dkim-key-store.ts'
import { deleteItem, getItem, putItem, type Table } from './dynamo.ts'
import { keys } from './table.ts'

/** DKIM keys in DynamoDB, sealed, under keys that only few roles may read. */
export function dynamoDkimKeyStore(table: Table): DkimKeyStore {
  return {
    async read(domain, publicKey) {
      const item = await getItem(table, keys.dkimKey(domain, publicKey))
      return item && Buffer.from(String(item.sealed), 'base64')
    },

    async keep(domain, publicKey, sealed) {
      await putItem(table, {
        ...keys.dkimKey(domain, publicKey),
        sealed: Buffer.from(sealed).toString('base64'),
      })
    },

    async remove(domain, publicKey) {
      await deleteItem(table, keys.dkimKey(domain, publicKey))
    },
  }
}
