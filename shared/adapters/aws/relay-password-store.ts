import type { RelayPasswordStore } from '../../queue/relay-passwords.ts'
import { deleteItem, getItem, putNew, type Table } from './dynamo.ts'
import { keys } from './table.ts'

/** Passwords of relays in DynamoDB, sealed, under keys that only few roles may read. */
export function dynamoRelayPasswordStore(table: Table): RelayPasswordStore {
  return {
    async read(secretName) {
      const item = await getItem(table, keys.relayPassword(secretName))
      return item && Buffer.from(String(item.sealed), 'base64')
    },

    async keep(secretName, sealed) {
      const item = { ...keys.relayPassword(secretName), sealed: Buffer.from(sealed).toString('base64') }
      const before = await putNew(table, item)
      // The client repeats a write whose answer was lost.
      if (before && before.sealed !== item.sealed)
        throw new Error(`there is a password ${secretName} already`)
    },

    async remove(secretName) {
      await deleteItem(table, keys.relayPassword(secretName))
    },
  }
}
