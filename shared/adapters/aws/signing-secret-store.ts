import { formatInstant, parseInstant } from '../../base/clock.ts'
import type { SigningSecret } from '../../webhook/signing-secret.ts'
import type { SigningSecretStore } from '../../webhook/signing-secret-store.ts'
import { changeItem, deleteItem, getItem, type Item, type Table } from './dynamo.ts'
import { keys } from './table.ts'

/** Webhook secrets in DynamoDB, in partitions of their own: who signs calls need not see passwords. */
export function dynamoSigningSecretStore(table: Table): SigningSecretStore {
  return {
    async read(account, direction) {
      const item = await getItem(table, keys.signingSecret(account, direction))
      return item && parse(item)
    },

    async replace(account, direction, before, { secret, createdAt, previous }) {
      const created = 'SET #secret = :secret, #createdAt = :createdAt'
      const change = {
        key: keys.signingSecret(account, direction),
        update: previous
          ? `${created}, #previous = :previous, #previousUntil = :previousUntil`
          : `${created} REMOVE #previous, #previousUntil`,
        condition: before ? '#secret = :before' : 'attribute_not_exists(#secret)',
        values: {
          secret,
          createdAt: formatInstant(createdAt),
          ...(previous && { previous: previous.secret, previousUntil: formatInstant(previous.endsAt) }),
          ...(before && { before: before.secret }),
        },
      }
      return (await changeItem(table, change, (item) => item.secret === secret)) !== undefined
    },

    async remove(account, direction) {
      await deleteItem(table, keys.signingSecret(account, direction))
    },
  }
}

function parse(item: Item): SigningSecret {
  const { secret, createdAt, previous, previousUntil } = item as unknown as StoredSecret
  return {
    secret,
    createdAt: parseInstant(createdAt),
    ...(previous !== undefined && {
      previous: { secret: previous, endsAt: parseInstant(previousUntil ?? '') },
    }),
  }
}

/** Times as `formatInstant` writes them; both of `previous` or neither. */
interface StoredSecret {
  readonly secret: string
  readonly createdAt: string
  readonly previous?: string
  readonly previousUntil?: string
}
