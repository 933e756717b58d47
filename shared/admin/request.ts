import type { Context } from 'hono'
import * as z from 'zod/mini'

/** A request that cannot be done as it stands: status 400. Nothing was changed. */
export class RequestError extends Error {
  /** The message is `field: rule`. */
  constructor(field: string, rule: string) {
    super(`${field}: ${rule}`)
  }
}

/** What the path names does not exist: status 404. */
export class NotFoundError extends Error {}

/** Reads the JSON body; throws {@link RequestError} naming the first wrong field. `root` names a body that is a list. */
export async function readBody<Schema extends z.core.$ZodType>(
  context: Context,
  schema: Schema,
  root = '',
): Promise<z.output<Schema>> {
  return readValue(schema, parseJson(await context.req.text()), root)
}

/** Reads the query string; a name that comes twice counts once. */
export function readQuery<Schema extends z.core.$ZodType>(
  context: Context,
  schema: Schema,
): z.output<Schema> {
  return readValue(schema, context.req.query(), '')
}

/** Writes an answer as JSON. */
export function answer(context: Context, value: object, status: 200 | 400 | 404 | 413 | 500 = 200): Response {
  return context.body(JSON.stringify(value), status, { 'Content-Type': 'application/json; charset=utf-8' })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RequestError('body', 'must be JSON')
  }
}

/** Checks a value; throws {@link RequestError} naming the first wrong field. `root` names what it is a part of. */
export function readValue<Schema extends z.core.$ZodType>(
  schema: Schema,
  value: unknown,
  root: string,
): z.output<Schema> {
  const result = z.safeParse(schema, value, { reportInput: true })
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue?.code === 'unrecognized_keys') {
    throw new RequestError(fieldName(root, [...issue.path, issue.keys[0] ?? '']), 'unknown field')
  }
  throw new RequestError(fieldName(root, issue?.path ?? []), issue ? ruleOf(issue) : 'is malformed')
}

/** `OutgoingWebhook.Events[0]`; the whole is the body. */
function fieldName(root: string, path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('')
  return (root + text).replace(/^\./, '') || 'body'
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'a JSON object',
  record: 'a JSON object',
}

/** zod/mini brings no texts of its own; rules with a text of ours are `custom`. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.input === undefined) return 'is required'
  switch (issue.code) {
    case 'custom':
      return issue.message
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    default:
      return 'is malformed'
  }
}
