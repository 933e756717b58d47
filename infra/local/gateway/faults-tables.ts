import type { TableDescription } from '@aws-sdk/client-dynamodb'
import type { Ask } from './ask-backend.ts'
import { type Item, pick } from './faults-item.ts'

/** A table or one of its indexes, as a Query reads it. */
export interface View {
  /** Names of the table's key attributes. */
  readonly tableKeys: readonly string[]
  /** Names of the partition key and, where there is one, the sort key that the view is ordered by. */
  readonly keys: readonly string[]
  /** The part of an item that the view holds. */
  readonly project: (item: Item) => Item
}

/** The keys of a table and of its indexes. */
interface TableShape {
  readonly table: View
  readonly indexes: ReadonlyMap<string, View>
}

/** Answers a table's shape; undefined when there is no such table. */
export type ShapeOf = (table: string, ask: Ask) => Promise<TableShape | undefined>

/** Asks the engine for each table's shape, once. */
export function tableShapes(): ShapeOf {
  const known = new Map<string, TableShape>()
  return async (name, ask) => {
    const before = known.get(name)
    if (before) return before
    const { status, body } = await ask('DescribeTable', { TableName: name })
    if (status !== 200) return undefined
    const shape = shapeOf(body.Table as TableDescription)
    known.set(name, shape)
    return shape
  }
}

/** A text that tells an item of a table from all others of it. */
export function keyText(item: Item, { tableKeys }: View): string {
  return JSON.stringify(tableKeys.map((name) => item[name]))
}

function shapeOf({ KeySchema, GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] }: TableDescription) {
  const tableKeys = namesOf(KeySchema)
  const table: View = { tableKeys, keys: tableKeys, project: (item) => item }
  const indexes = [...GlobalSecondaryIndexes, ...LocalSecondaryIndexes].map((index) => {
    const keys = namesOf(index.KeySchema)
    const { ProjectionType, NonKeyAttributes = [] } = index.Projection ?? {}
    const held = [...tableKeys, ...keys, ...NonKeyAttributes]
    const project = (item: Item) => (ProjectionType === 'ALL' ? item : pick(item, held))
    return [index.IndexName ?? '', { tableKeys, keys, project }] as const
  })
  return { table, indexes: new Map(indexes) }
}

function namesOf(schema: TableDescription['KeySchema'] = []): readonly string[] {
  const partitionFirst = [...schema].sort((a, b) => (a.KeyType ?? '').localeCompare(b.KeyType ?? ''))
  return partitionFirst.map(({ AttributeName = '' }) => AttributeName)
}
