import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { dynamoMessageLists } from '../../../shared/adapters/aws/message-lists.ts'
import { systemRandom } from '../../../shared/adapters/system/random.ts'
import { listRows } from '../../../shared/attempts/list-rows.ts'
import type { ListName, RowOrder } from '../../../shared/attempts/row-lists.ts'
import type { Clock } from '../../../shared/base/clock.ts'
import type { QueuedMessage } from '../../../shared/queue/queued-message.ts'
import { type Amount, accountNames } from './seed.ts'

/** One page, as the admin API asks for it. */
interface PageToRead {
  readonly accounts: readonly string[]
  readonly lists: readonly ListName[]
  readonly order: RowOrder
}

/** What it cost. */
interface PageCost {
  readonly rows: number
  readonly readUnits: number
  readonly requests: number
  readonly milliseconds: number
}

const PAGE = 100
const BY_TIME: RowOrder = { by: 'time', ascending: true }

/** A kind of page, what it cost and what it may. */
export interface Measured {
  readonly what: string
  readonly cost: PageCost
  readonly most: number
}

/** Pages of one account's queue and of all, queued and retired. */
export async function measureAll(
  client: DynamoDBClient,
  table: string,
  clock: Clock,
  amount: Amount,
): Promise<readonly Measured[]> {
  const names = accountNames(amount)
  const measured: Measured[] = []
  for (const [whose, accounts, most] of [
    ['one account', names.slice(0, 1), PAGE],
    ['all accounts', names, PAGE + names.length],
  ] as const) {
    for (const [which, lists] of [
      ['queued', ['active', 'held']],
      ['retired', ['retired']],
    ] as const) {
      const cost = await measurePage(client, table, clock, { accounts, lists, order: BY_TIME })
      measured.push({ what: `${which} messages of ${whose}`, cost, most })
    }
  }
  return measured
}

/** Reads two pages, the second after the first, and says what the dearer one cost. */
async function measurePage(
  client: DynamoDBClient,
  table: string,
  clock: Clock,
  page: PageToRead,
): Promise<PageCost> {
  const counter = countUnits(client)
  const lists = dynamoMessageLists({ client, name: table, random: systemRandom }, clock)
  const read = async (after?: Awaited<ReturnType<typeof listRows<QueuedMessage>>>['next']) => {
    const before = { ...counter }
    const began = performance.now()
    const found = await listRows(lists, {
      ...page,
      ...(after && { after }),
      limit: PAGE,
      mostRead: 5_000,
      matches: () => true,
    })
    return {
      next: found.next,
      cost: {
        rows: found.rows.length,
        readUnits: counter.units - before.units,
        requests: counter.requests - before.requests,
        milliseconds: performance.now() - began,
      },
    }
  }
  const first = await read()
  const second = await read(first.next)
  counter.stop()
  return first.cost.readUnits > second.cost.readUnits ? first.cost : second.cost
}

/** Asks DynamoDB for the units of every request and adds them up. */
function countUnits(client: DynamoDBClient): { units: number; requests: number; stop(): void } {
  const counter = { units: 0, requests: 0, stop: () => void client.middlewareStack.remove('countUnits') }
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } })
      const { ConsumedCapacity = [] } = answer.output as {
        readonly ConsumedCapacity?: Units | readonly Units[]
      }
      counter.requests++
      counter.units += [ConsumedCapacity]
        .flat()
        .reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0)
      return answer
    },
    { step: 'initialize', name: 'countUnits' },
  )
  return counter
}

interface Units {
  readonly CapacityUnits?: number
}
