import type { AttemptResult, AttemptRow } from '../../attempts/attempt-row.ts'
import type { RowEdit } from '../../attempts/attempt-store.ts'
import { comparePlaces, type RowLists, type RowOrder, type RowPlace } from '../../attempts/row-lists.ts'
import type { Clock } from '../../base/clock.ts'
import { dueIndex, retiredIndex } from '../../runtime/names.ts'
import { parseRow, type RowFormat } from './attempt-items.ts'
import { getItems, queryItems, type Table } from './dynamo.ts'
import { indexPartition, indexSort, parseIndexSort } from './table.ts'

const LARGER_BATCH = 100
const MOST_PLACES = 1_000_000

/** The lists of one kind of rows, read from the two indexes; `visible` leaves out rows that nobody may see. */
export function dynamoRowLists<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(
  table: Table,
  format: RowFormat<Row, Result, Edit>,
  clock: Clock,
  visible: (rows: readonly Row[]) => Promise<readonly Row[]> = async (rows) => rows,
): RowLists<Row> {
  return {
    async *places(list, account, order, from, batch) {
      const part = { table, index: list === 'retired' ? retiredIndex : dueIndex, account }
      const partition = indexPartition(format.kind, account, list === 'held')
      if (order.by === 'id') yield await placesById({ ...part, partition }, order)
      else yield* placesByTime({ ...part, partition }, order.ascending, from, batch)
    },

    async readMany(names) {
      const keys = names.map(({ account, id }) => format.key(account, id))
      const rows = (await getItems(table, keys, 'eventual')).map((item) => parseRow(format, item))
      // DynamoDB deletes what has expired days late.
      const now = clock.now()
      return await visible(rows.filter(({ retired }) => !retired || retired.keepUntil > now))
    },
  }
}

/** One account's part of an index. */
interface Part {
  readonly table: Table
  readonly index: typeof dueIndex | typeof retiredIndex
  readonly account: string
  readonly partition: string
}

async function* placesByTime(
  part: Part,
  ascending: boolean,
  from: RowPlace | undefined,
  firstBatch: number,
): AsyncGenerator<readonly RowPlace[]> {
  let condition = from && { operator: ascending ? '>=' : '<=', sort: indexSort(from.at, from.id) }
  for (let limit = firstBatch; ; limit = LARGER_BATCH) {
    const places = await queryPlaces(part, { condition, ascending, limit })
    yield places
    const last = places.at(-1)
    if (!last || places.length < limit) return
    condition = { operator: ascending ? '>' : '<', sort: indexSort(last.at, last.id) }
  }
}

/** No index sorts by id, which few ask for: the keys of the whole part are read, about 14 read units for 1000 rows. */
async function placesById(part: Part, order: RowOrder): Promise<readonly RowPlace[]> {
  const places = await queryPlaces(part, { ascending: order.ascending, limit: MOST_PLACES })
  return places.toSorted((one, other) => comparePlaces(order, one, other))
}

async function queryPlaces(
  { table, index, account, partition }: Part,
  query: {
    readonly condition?: { readonly operator: string; readonly sort: string } | undefined
    readonly ascending: boolean
    readonly limit: number
  },
): Promise<readonly RowPlace[]> {
  const { condition, ascending, limit } = query
  const items = await queryItems(table, {
    index: index.name,
    condition: `#${index.partition} = :partition${
      condition ? ` AND #${index.sort} ${condition.operator} :sort` : ''
    }`,
    values: { partition, ...(condition && { sort: condition.sort }) },
    limit,
    descending: !ascending,
  })
  return items.map((item) => ({ account, ...parseIndexSort(String(item[index.sort])) }))
}
