import { type Clock, DAY, formatInstant, parseInstant, SECOND } from '../../base/clock.ts'
import type { UploadStore } from '../../webapi/upload-store.ts'
import { changeItem, getItem, putNew, type Table } from './dynamo.ts'
import type { ObjectExchange } from './object-exchange.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** What has expired is remembered so long, to be called expired and not unknown. */
const REMEMBERED_MS = DAY

/** Uploads: an item each in DynamoDB, and the file in S3. */
export function awsUploadStore(ports: {
  readonly table: Table
  readonly exchange: () => Promise<ObjectExchange>
  readonly clock: Clock
}): UploadStore {
  const { table, exchange, clock } = ports
  return {
    async create(account, id, expiresAt) {
      const seconds = Math.floor((expiresAt - clock.now()) / SECOND)
      const url = await (await exchange()).putUrl(objectName(account, id), seconds)
      await putNew(table, {
        ...keys.upload(account, id),
        expiresAt: formatInstant(expiresAt),
        expires: expiresAtSeconds(expiresAt + REMEMBERED_MS),
      })
      return url
    },

    async find(account, id) {
      const item = await getItem(table, keys.upload(account, id))
      if (!item) return undefined
      const expiresAt = parseInstant(String(item.expiresAt))
      return typeof item.usedBy === 'string' ? { expiresAt, usedBy: item.usedBy } : { expiresAt }
    },

    async size(account, id) {
      return await (await exchange()).size(objectName(account, id))
    },

    async read(account, id) {
      return await (await exchange()).read(objectName(account, id))
    },

    async use(account, id, send) {
      const used = await changeItem(table, {
        key: keys.upload(account, id),
        update: 'SET #usedBy = :send',
        condition: 'attribute_exists(#pk) AND (attribute_not_exists(#usedBy) OR #usedBy = :send)',
        values: { send },
      })
      return used !== undefined
    },
  }
}

function objectName(account: string, id: string): string {
  return `upload/${account}/${id}`
}
