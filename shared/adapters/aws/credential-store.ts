import type { CredentialStore } from '../../account/credential-store.ts'
import type { StoredPassword } from '../../account/password.ts'
import { deleteItem, getItem, putItem, type Table } from './dynamo.ts'
import { keys } from './table.ts'

/** Credentials in DynamoDB, under keys that only few roles may read. */
export function dynamoCredentialStore(table: Table): CredentialStore {
  return {
    async password(holder) {
      const item = await getItem(table, keys.password(holder))
      return item && ({ argon2id: item.argon2id, scramSha256: item.scramSha256 } as StoredPassword)
    },

    async setPassword(holder, password) {
      await putItem(table, { ...keys.password(holder), ...password })
    },

    async remove(holder) {
      await deleteItem(table, keys.password(holder))
    },
  }
}
