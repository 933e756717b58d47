import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress } from 'node:zlib'
import type { Clock } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { KeyedSend, KeyedSendStore } from '../../webapi/keyed-send.ts'
import { changeItem, deleteItem, getItem, type Item, type Table } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** Sends by Idempotency-Key in DynamoDB. */
export function dynamoKeyedSendStore(table: Table, clock: Clock): KeyedSendStore {
  return {
    async find({ account, key }) {
      const item = await getItem(table, keys.keyedSend(account, key))
      return item && Number(item.expires) * 1000 > clock.now() ? await parse(item) : undefined
    },

    async replace({ account, key }, before, after) {
      const values = await attributes(after)
      const changed = await changeItem(
        table,
        {
          key: keys.keyedSend(account, key),
          update: `SET ${Object.keys(values)
            .map((name) => `#${name} = :${name}`)
            .join(', ')}${after.answer ? '' : ' REMOVE #answer'}`,
          condition: before ? '#holder = :before' : 'attribute_not_exists(#pk) OR #expires <= :now',
          values: {
            ...values,
            ...(before ? { before: before.holder } : { now: Math.floor(clock.now() / 1000) }),
          },
        },
        (item) => item.holder === after.holder,
      )
      return changed !== undefined
    },

    async remove({ account, key }, before) {
      await deleteItem(table, keys.keyedSend(account, key), {
        expression: '#holder = :before',
        values: { before: before.holder },
      })
    },
  }
}

/** The answer is compressed: that of a thousand recipients is larger than all else. */
async function attributes({ answer, expiresAt, ...plain }: KeyedSend): Promise<Item> {
  return {
    ...plain,
    expires: expiresAtSeconds(expiresAt),
    ...(answer && { answer: await compress(JSON.stringify(answer)) }),
  }
}

async function parse(item: Item): Promise<KeyedSend> {
  const stored = item as unknown as Omit<KeyedSend, 'answer' | 'expiresAt'>
  const { holder, heldUntil, requestHash, messageId, message } = stored
  return {
    holder,
    heldUntil,
    requestHash,
    base: stored.base as RowId,
    messageId,
    message,
    expiresAt: Number(item.expires) * 1000,
    ...(item.answer instanceof Uint8Array && {
      answer: JSON.parse((await decompress(item.answer)).toString()) as object,
    }),
  }
}
