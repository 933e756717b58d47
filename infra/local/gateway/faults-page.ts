import type { OldImages } from './faults-history.ts'
import { compareValues, type Item, pick } from './faults-item.ts'
import { readKeyCondition } from './faults-key-condition.ts'
import { keyText, type View } from './faults-tables.ts'
import type { JsonObject } from './json-service.ts'

/** Parts of a Query whose answer cannot be put together again from whole items. */
const UNSUPPORTED = [
  'FilterExpression',
  'ProjectionExpression',
  'Select',
  'KeyConditions',
  'QueryFilter',
  'AttributesToGet',
]

/** The part of a Query that stands in the way of {@link pageAsSeen}, if any. */
export function unsupportedPart(query: JsonObject): string | undefined {
  return UNSUPPORTED.find((name) => query[name] !== undefined)
}

/**
 * The page of a Query as a reader sees it who still sees the old images. The page keeps its bounds: what leaves it
 * makes it shorter; what enters it may push others beyond Limit, to the next page.
 */
export function pageAsSeen(page: JsonObject, query: JsonObject, view: View, old: OldImages): JsonObject {
  const items = (page.Items as readonly Item[]).filter((item) => !old.has(keyText(item, view)))
  const order = orderOf(view, query.ScanIndexForward === false ? -1 : 1)
  const [after, upTo] = [query.ExclusiveStartKey, page.LastEvaluatedKey] as (Item | undefined)[]
  const matches = readKeyCondition(query)
  const added = [...old.values()].filter(
    (image) =>
      image !== undefined &&
      view.keys.every((name) => image[name] !== undefined) &&
      matches(image) &&
      (!after || order(image, after) > 0) &&
      (!upTo || order(image, upTo) <= 0),
  )
  const seen = [...items, ...added.filter((image) => image !== undefined).map(view.project)].sort(order)
  const limit = typeof query.Limit === 'number' ? query.Limit : seen.length
  const last = seen[limit - 1]
  const isCut = seen.length > limit && last !== undefined
  return {
    ...page,
    Items: seen.slice(0, limit),
    Count: Math.min(seen.length, limit),
    ScannedCount: Math.min(seen.length, limit),
    ...(isCut && { LastEvaluatedKey: pick(last, [...view.keys, ...view.tableKeys]) }),
  }
}

/** By the view's sort key; among equals by the table's key, as engines happen to do. */
function orderOf({ keys, tableKeys }: View, direction: 1 | -1): (a: Item, b: Item) => number {
  const names = [...keys.slice(1), ...tableKeys]
  return (a, b) => {
    for (const name of names) {
      const order = compareValues(a[name] ?? {}, b[name] ?? {})
      if (order !== 0) return order * direction
    }
    return 0
  }
}
