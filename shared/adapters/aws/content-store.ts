import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import type { Clock } from '../../base/clock.ts'
import type { ContentName, ContentStore } from '../../content/content-store.ts'
import { changeItem, deleteItem, getItem, putNew, type Table } from './dynamo.ts'
import { laterExpiry } from './later-expiry.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** What compresses to this stays in the table: one write instead of two services. */
const LARGEST_INLINE = 32 * 1024
/** What is larger will not compress to that, as attachments do not. */
const WORTH_COMPRESSING = 512 * 1024

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** Where contents lie that are too large for an item. */
export interface ObjectStore {
  /** False when there is an object of that name already. */
  create(name: ContentName, bytes: Uint8Array): Promise<boolean>
  read(name: ContentName): Promise<Uint8Array | undefined>
  remove(name: ContentName): Promise<void>
}

/** Content in DynamoDB where it is small, else in S3 with an item that names it. */
export function awsContentStore(ports: {
  readonly table: Table
  /** Loads what large contents need, on first use. */
  readonly objects: () => Promise<ObjectStore>
  readonly clock: Clock
}): ContentStore {
  const { table, objects, clock } = ports
  return {
    async create(name, bytes, expiresAt) {
      const inline = await compressed(bytes)
      if (!inline && !(await (await objects()).create(name, bytes))) return false
      const inTheWay = await putNew(table, {
        ...keys.content(name),
        size: bytes.length,
        ...(inline ? { brotli: inline } : { object: name }),
        ...(expiresAt !== undefined && { expires: expiresAtSeconds(expiresAt) }),
      })
      return inTheWay === undefined
    },

    async read(name) {
      const item = await getItem(table, keys.content(name))
      if (!item || (typeof item.expires === 'number' && item.expires * 1000 <= clock.now())) return undefined
      if (item.brotli instanceof Uint8Array) return await decompress(item.brotli)
      return await (await objects()).read(name)
    },

    async keep(name, expiresAt) {
      await changeItem(table, laterExpiry(keys.content(name), expiresAt))
    },

    async remove(name) {
      const item = await getItem(table, keys.content(name))
      if (item?.object === name) await (await objects()).remove(name)
      await deleteItem(table, keys.content(name))
    },
  }
}

async function compressed(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  if (bytes.length > WORTH_COMPRESSING) return undefined
  const small = await compress(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
  return small.length <= LARGEST_INLINE ? small : undefined
}
