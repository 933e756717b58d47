import type { JsonAnswer } from './ask-backend.ts'
import type { Item } from './faults-item.ts'
import type { JsonObject } from './json-service.ts'

type Requests = Readonly<Record<string, JsonObject & { readonly Keys: readonly Item[] }>>

/** The halves of a BatchGetItem; undefined when it has a single key, or none. */
export function splitBatch(
  input: JsonObject,
): { readonly processed: JsonObject; readonly unprocessed: Requests } | undefined {
  const requests = Object.entries((input.RequestItems ?? {}) as Requests)
  const keys = requests.flatMap(([table, { Keys }]) => Keys.map((key) => ({ table, key })))
  if (keys.length < 2) return undefined
  const half = Math.ceil(keys.length / 2)
  const take = (part: typeof keys): Requests => {
    const tables = requests.map(([table, request]) => {
      const Keys = part.filter((each) => each.table === table).map(({ key }) => key)
      return [table, { ...request, Keys }] as const
    })
    return Object.fromEntries(tables.filter(([, { Keys }]) => Keys.length > 0))
  }
  const RequestItems = take(keys.slice(0, half))
  return { processed: { ...input, RequestItems }, unprocessed: take(keys.slice(half)) }
}

/** Adds what was left out of a BatchGetItem to the answer of the rest. */
export function keepUnprocessed(answer: JsonAnswer, unprocessed: Requests): JsonAnswer {
  if (answer.status !== 200) return answer
  const UnprocessedKeys: Record<string, unknown> = {
    ...(answer.body.UnprocessedKeys as Requests | undefined),
  }
  for (const [table, request] of Object.entries(unprocessed)) {
    const before = (UnprocessedKeys[table] as Requests[string] | undefined)?.Keys ?? []
    UnprocessedKeys[table] = { ...request, Keys: [...before, ...request.Keys] }
  }
  return { ...answer, body: { ...answer.body, UnprocessedKeys } }
}
