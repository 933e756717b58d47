import * as z from 'zod/mini'
import { ApiError } from './api-error.ts'

/**
 * Reads the JSON of a call by the rules of mox's decoder: names match without case, the last of two equal names
 * wins, null is as good as absent, unknown names are errors, and what follows the first value is ignored.
 */
export function parseRequest<Schema extends z.core.$ZodType>(schema: Schema, json: string): z.output<Schema> {
  const result = z.safeParse(schema, parseFirstValue(json))
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ApiError('protocol', `request: ${issue ? describe(issue) : 'malformed'}`)
}

/** An object whose names match without case and of which every one may be absent. */
export function record<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]))
  return z.pipe(
    z.transform((value) => withCanonicalNames(value, names)),
    z.strictObject(shape),
  )
}

/** A text, empty when absent. */
export const text = z._default(z.string(), '')

/** A list, empty when absent. */
export function list<Item extends z.core.$ZodType>(item: Item) {
  return z._default(z.array(item), [])
}

function withCanonicalNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) return value
  const entries = Object.entries(value)
    .filter(([, field]) => field !== null)
    .map(([name, field]) => [names.get(name.toLowerCase()) ?? name, field])
  return Object.fromEntries(entries)
}

/** `AttachedFiles[0].Data: Invalid input: expected string, received number`. */
function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  const field = path.replace(/^\./, '')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `unknown field ${field ? `${field}.` : ''}${key}`).join(', ')
  }
  return field ? `${field}: ${issue.message}` : issue.message
}

function parseFirstValue(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    const end = endOfFirstValue(json)
    if (end === json.length || end === 0) throw notJson(error)
    try {
      return JSON.parse(json.slice(0, end))
    } catch {
      throw notJson(error)
    }
  }
}

function notJson(error: unknown): ApiError {
  return new ApiError('protocol', `request: not JSON: ${error instanceof Error ? error.message : ''}`)
}

/** Where the object ends that the text begins with; 0 if it begins with something else. */
function endOfFirstValue(json: string): number {
  if (!json.trimStart().startsWith('{')) return 0
  let depth = 0
  for (const token of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token[0] === '{' || token[0] === '[') depth++
    if (token[0] === '}' || token[0] === ']') depth--
    if (depth === 0) return token.index + 1
  }
  return json.length
}
