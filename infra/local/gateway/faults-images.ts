import type { Ask } from './ask-backend.ts'
import { type Item, pick } from './faults-item.ts'
import { keyText, type ShapeOf, type View } from './faults-tables.ts'
import type { JsonObject } from './json-service.ts'

/** An item as it is, undefined where there is none, under the key that a call is about to write. */
interface Image {
  readonly table: string
  readonly key: string
  readonly before: Item | undefined
}

/** What is stored under the keys that a call writes; nothing when the engine refuses to say, as it will the call. */
export async function readImages(
  operation: string,
  input: JsonObject,
  ask: Ask,
  shapeOf: ShapeOf,
): Promise<readonly Image[]> {
  const images: Image[] = []
  for (const [table, targets] of Map.groupBy(writtenItems(operation, input), (target) => target.table)) {
    const view = (await shapeOf(table, ask))?.table
    if (!view) return []
    const items = targets.map(({ item }) => item)
    const stored = await readStored(table, items, view, ask)
    for (const key of items.map((item) => keyText(item, view))) {
      images.push({ table, key, before: stored.get(key) })
    }
  }
  return images
}

async function readStored(
  table: string,
  items: readonly Item[],
  view: View,
  ask: Ask,
): Promise<ReadonlyMap<string, Item>> {
  const stored = new Map<string, Item>()
  let pending: readonly Item[] = items.map((item) => pick(item, view.tableKeys))
  while (pending.length > 0) {
    const RequestItems = { [table]: { Keys: pending, ConsistentRead: true } }
    const { status, body } = await ask('BatchGetItem', { RequestItems })
    if (status !== 200) break
    const found = (body.Responses as Readonly<Record<string, readonly Item[]>>)[table] ?? []
    for (const item of found) stored.set(keyText(item, view), item)
    const unprocessed = body.UnprocessedKeys as Readonly<Record<string, { readonly Keys: readonly Item[] }>>
    pending = unprocessed?.[table]?.Keys ?? []
  }
  return stored
}

interface Target {
  readonly table: string
  /** The item written, or its key. */
  readonly item: Item
}

interface WireWrite {
  readonly TableName: string
  readonly Key?: Item
  readonly Item?: Item
}

/** The items that a call writes; nothing for calls that write none and for malformed ones, which are refused. */
function writtenItems(operation: string, input: JsonObject): readonly Target[] {
  if (operation === 'TransactWriteItems') {
    const actions = (input.TransactItems ?? []) as readonly Readonly<Record<string, WireWrite>>[]
    return actions.flatMap(({ Put, Update, Delete }) => target(Put ?? Update ?? Delete))
  }
  if (operation === 'BatchWriteItem') {
    const tables = (input.RequestItems ?? {}) as Readonly<
      Record<string, readonly Readonly<Record<string, Omit<WireWrite, 'TableName'>>>[]>
    >
    return Object.entries(tables).flatMap(([TableName, requests]) =>
      requests.flatMap(({ PutRequest, DeleteRequest }) =>
        target({ TableName, ...(PutRequest ?? DeleteRequest) }),
      ),
    )
  }
  return target(input as unknown as WireWrite)
}

function target(write: WireWrite | undefined): readonly Target[] {
  const item = write?.Item ?? write?.Key
  return write && item ? [{ table: write.TableName, item }] : []
}
