import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Hint } from '../../shared/attempts/hint-channel.ts'
import type { QueueStore } from '../../shared/queue/queue-store.ts'

/** A fault that is planted around the product, which stays as it is. */
export interface Plant {
  readonly name: string
  /** Changes a conditional update on its way to the table. */
  readonly spoil: (update: Update) => Update
  /** The queue as a worker sees it that follows this hint. */
  readonly queueOf?: (queue: QueueStore, hint: Hint) => QueueStore
}

/** The parts of an UpdateItem, alone or in a transaction, that plants change. */
interface Update {
  readonly UpdateExpression: string
  readonly ConditionExpression: string
}

const CLAIM = '#attempts = :before AND '
const OWNER = ' AND #attempts = :attempt AND #owner = :owner'

/** What design §3 demands of claims and outcomes, taken away. */
export const plants: readonly Plant[] = [
  {
    name: 'a claim neither demands nor raises the number of attempts',
    spoil: ({ UpdateExpression, ConditionExpression }) => ({
      UpdateExpression: ConditionExpression.startsWith(CLAIM)
        ? UpdateExpression.replace('#attempts = :attempt', '#attempts = :before')
        : UpdateExpression,
      ConditionExpression: ConditionExpression.replace(CLAIM, ''),
    }),
  },
  {
    name: 'an outcome is written by whoever comes, not by the owner of the claim',
    spoil: (update) => ({ ...update, ConditionExpression: update.ConditionExpression.replace(OWNER, '') }),
  },
  {
    name: 'a hint is taken for the truth',
    spoil: (update) => ({
      ...update,
      ConditionExpression: update.ConditionExpression.startsWith(CLAIM)
        ? 'attribute_exists(#state)'
        : update.ConditionExpression,
    }),
    queueOf: (queue, hint) => ({
      ...queue,
      read: async (account, id) => {
        const row = await queue.read(account, id)
        if (!row) return undefined
        const { hold: _hold, lease: _lease, retired: _retired, ...rest } = row
        return { ...rest, state: 'waiting', attempts: hint.attempt - 1, nextAt: 0 }
      },
    }),
  },
]

/** Plants a fault in a client; answers how to take it out again. */
export function plant(client: DynamoDBClient, { name, spoil }: Plant): () => void {
  client.middlewareStack.add(
    (next) => async (request) => {
      const { input } = request as { input: object }
      return await next({ ...request, input: spoiled(input, spoil) as never })
    },
    { step: 'initialize', name },
  )
  return () => void client.middlewareStack.remove(name)
}

/** A request with all its updates spoiled. */
function spoiled(input: object, spoil: Plant['spoil']): object {
  if ('TransactItems' in input && Array.isArray(input.TransactItems)) {
    const items = input.TransactItems.map((item: { Update?: object }) =>
      item.Update ? { Update: spoiled(item.Update, spoil) } : item,
    )
    return { ...input, TransactItems: items }
  }
  if (!('ConditionExpression' in input && 'UpdateExpression' in input)) return input
  return withoutUnused({ ...input, ...spoil(input as Update) })
}

/** DynamoDB refuses names and values that no expression uses. */
function withoutUnused(update: Update & Record<string, unknown>): object {
  const used = new Set(`${update.UpdateExpression} ${update.ConditionExpression}`.match(/[#:]\w+/g))
  const pruned = ['ExpressionAttributeNames', 'ExpressionAttributeValues'].map((field) => [
    field,
    Object.fromEntries(Object.entries(update[field] ?? {}).filter(([name]) => used.has(name))),
  ])
  return { ...update, ...Object.fromEntries(pruned) }
}
