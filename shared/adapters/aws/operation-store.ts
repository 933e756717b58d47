import { type Clock, DAY, formatInstant, parseInstant } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { Operation, OperationStore, Progress, Work } from '../../operations/operation.ts'
import { dueIndex } from '../../runtime/names.ts'
import { changeItem, getItem, getItems, type Item, putNew, queryItems, type Table } from './dynamo.ts'
import { expiresAtSeconds, indexSort, keys, RUNNING_OPERATIONS } from './table.ts'

const KEPT_MS = 30 * DAY

/** Operations in DynamoDB, all in one partition: operators are few. */
export function dynamoOperationStore(table: Table, clock: Clock): OperationStore {
  return {
    async add(operation) {
      const { id, work, accounts, isDryRun, startedAt } = operation
      const inTheWay = await putNew(table, {
        ...keys.operation(id),
        id,
        work: JSON.stringify(work),
        accounts,
        isDryRun,
        startedAt: formatInstant(startedAt),
        ...moving(operation),
      })
      // The SDK repeats a write whose answer was lost.
      if (inTheWay && inTheWay.work !== JSON.stringify(work))
        throw new Error(`operation ${id} exists already`)
    },

    async read(id) {
      const item = await getItem(table, keys.operation(id))
      return item && Number(item.expires) * 1000 > clock.now() ? parse(item) : undefined
    },

    async list(limit) {
      const items = await queryItems(table, {
        condition: '#pk = :pk',
        values: { pk: keys.operation(0 as RowId).pk },
        limit,
        descending: true,
      })
      return items.filter((item) => Number(item.expires) * 1000 > clock.now()).map(parse)
    },

    async running(limit) {
      const indexed = await queryItems(table, {
        index: dueIndex.name,
        condition: '#due = :due',
        values: { due: RUNNING_OPERATIONS },
        limit,
      })
      const items = await getItems(
        table,
        indexed.map((item) => ({ pk: String(item.pk), sk: String(item.sk) })),
      )
      return items.map(parse).filter(({ state }) => state === 'running')
    },

    async advance(before, after) {
      const values = moving(after)
      const ends = after.state === 'running' ? '' : ' REMOVE #due, #dueAt'
      const changed = await changeItem(
        table,
        {
          key: keys.operation(before.id),
          update: `SET ${Object.keys(values)
            .map((name) => `#${name} = :${name}`)
            .join(', ')}${ends}`,
          condition: '#state = :running AND #progress.#steps = :steps',
          values: { ...values, running: 'running', steps: before.progress.steps },
        },
        (item) =>
          parse(item).movedAt === after.movedAt && parse(item).progress.steps === after.progress.steps,
      )
      return changed !== undefined
    },
  }
}

function moving({ state, progress, movedAt, startedAt, id }: Operation): Item {
  return {
    ...(state === 'running' && { due: RUNNING_OPERATIONS, dueAt: indexSort(startedAt, id) }),
    state,
    progress,
    movedAt: formatInstant(movedAt),
    expires: expiresAtSeconds(movedAt + KEPT_MS),
  }
}

function parse(item: Item): Operation {
  const stored = item as unknown as Omit<Operation, 'work' | 'startedAt' | 'movedAt'> & {
    readonly work: string
    readonly startedAt: string
    readonly movedAt: string
  }
  return {
    id: stored.id,
    startedAt: parseInstant(stored.startedAt),
    movedAt: parseInstant(stored.movedAt),
    work: JSON.parse(stored.work) as Work,
    isDryRun: stored.isDryRun,
    accounts: stored.accounts,
    state: stored.state,
    progress: stored.progress as Progress,
  }
}
