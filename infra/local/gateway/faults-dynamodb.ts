import type { Ask, JsonAnswer } from './ask-backend.ts'
import { type History, openHistory } from './faults-history.ts'
import type { Item } from './faults-item.ts'
import type { FaultOptions } from './faults-options.ts'
import { pageAsSeen, unsupportedPart } from './faults-page.ts'
import { seededChance, seededDraws } from './faults-random.ts'
import { keyText, type ShapeOf, tableShapes } from './faults-tables.ts'
import { keepUnprocessed, splitBatch } from './faults-throttling.ts'
import type { JsonObject } from './json-service.ts'

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems', 'BatchWriteItem'])

type Answer = JsonAnswer | 'reset'

interface Call {
  readonly operation: string
  readonly input: JsonObject
  readonly ask: Ask
}

/** Refusals that nothing was done for, writes whose answer is lost, and reads that are behind. */
export function dynamoFaults(options: FaultOptions, now: () => number) {
  const { seed, indexLagMs = 0, staleReads = 0 } = options
  const isThrottled = seededChance(seed, 'throttling', options.throttling ?? 0)
  const isConflict = seededChance(seed, 'transactionConflicts', options.transactionConflicts ?? 0)
  const conflictDraw = seededDraws(seed, 'conflicting action')
  const loseAnswer = answerLoss(options)
  const shapeOf = tableShapes()
  const draw = seededDraws(seed, 'indexLagMs')
  const history =
    indexLagMs > 0 || staleReads > 0 ? openHistory({ indexLagMs, draw, now, shapeOf }) : undefined
  const read = readerOf(options, history, shapeOf)
  const writtenTokens = new Set<unknown>()

  async function write({ operation, input, ask }: Call): Promise<Answer> {
    // Recorded first: else a reader could see the write, and then, for a while, no longer.
    const forget = await history?.record(operation, input, ask)
    const answer = await ask(operation, input)
    if (answer.status !== 200) {
      forget?.()
      return answer
    }
    const lost = loseAnswer()
    if (lost && input.ClientRequestToken !== undefined) writtenTokens.add(input.ClientRequestToken)
    return lost ?? answer
  }

  return async (operation: string, input: JsonObject, ask: Ask): Promise<Answer> => {
    const call = { operation, input, ask }
    if (isThrottled()) {
      const split = operation === 'BatchGetItem' ? splitBatch(input) : undefined
      if (!split) return throttled()
      return keepUnprocessed(await read({ ...call, input: split.processed }), split.unprocessed)
    }
    // A transaction that was written is answered as written when it is sent again, and conflicts with nobody.
    if (operation === 'TransactWriteItems' && !writtenTokens.has(input.ClientRequestToken) && isConflict()) {
      return canceled(input, conflictDraw())
    }
    return WRITES.has(operation) ? await write(call) : await read(call)
  }
}

function answerLoss({ seed, lostResponses = 0 }: FaultOptions): () => Answer | undefined {
  const isLost = seededChance(seed, 'lostResponses', lostResponses)
  const isReset = seededChance(seed, 'kind of loss', 0.5)
  return () => {
    if (!isLost()) return undefined
    return isReset() ? 'reset' : refusal(500, 'InternalServerError', 'Internal server error')
  }
}

function throttled(): JsonAnswer {
  const message =
    'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your ' +
    'table or index so please try again shortly.'
  return refusal(400, 'ThrottlingException', message)
}

/** Conflicts on one of the actions, and maybe on more (TransactWriteItems, "CancellationReasons"). */
function canceled({ TransactItems }: JsonObject, drawn: number): JsonAnswer {
  const count = Array.isArray(TransactItems) ? TransactItems.length : 1
  const conflicting = Math.floor(drawn * count)
  const CancellationReasons = Array.from({ length: count }, (_, place) =>
    place === conflicting
      ? { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' }
      : { Code: 'None' },
  )
  const codes = CancellationReasons.map(({ Code }) => Code).join(', ')
  const Message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
  return {
    status: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      Message,
      CancellationReasons,
    },
  }
}

function refusal(status: number, code: string, message: string): JsonAnswer {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message } }
}

/** Answers reads as of before the last writes, where they may be behind. */
function readerOf(
  { seed, staleReads = 0, indexLagMs = 0 }: FaultOptions,
  history: History | undefined,
  shapeOf: ShapeOf,
): (call: Call) => Promise<JsonAnswer> {
  const isStale = seededChance(seed, 'staleReads', staleReads)

  async function readTable(call: Call, answer: JsonAnswer, known: History): Promise<JsonAnswer> {
    const { operation, input } = call
    const edit = input.ConsistentRead === true ? undefined : STALE[operation]
    if (!edit || !isStale() || unsupportedPart(input)) return answer
    return { ...answer, body: await edit(answer.body, call, known, shapeOf) }
  }

  return async (call) => {
    const { operation, input, ask } = call
    const answer = await ask(operation, input)
    if (!history || answer.status !== 200) return answer
    if (input.IndexName === undefined) return await readTable(call, answer, history)
    if (indexLagMs === 0) return answer
    const part = operation === 'Query' ? unsupportedPart(input) : operation
    if (part) return refusal(400, 'ValidationException', `The local cloud's index lag does not know ${part}.`)
    const table = String(input.TableName)
    const view = (await shapeOf(table, ask))?.indexes.get(String(input.IndexName))
    const old = history.unindexed(table)
    return view ? { ...answer, body: pageAsSeen(answer.body, input, view, old) } : answer
  }
}

type StaleEdit = (body: JsonObject, call: Call, history: History, shapeOf: ShapeOf) => Promise<JsonObject>

const STALE: Readonly<Record<string, StaleEdit>> = {
  GetItem: async (body, { input, ask }, history, shapeOf) => {
    const table = String(input.TableName)
    const view = (await shapeOf(table, ask))?.table
    const key = view && keyText(input.Key as Item, view)
    const old = history.justWritten(table)
    if (key === undefined || !old.has(key)) return body
    const { Item: _, ...rest } = body
    const before = old.get(key)
    return before ? { ...rest, Item: before } : rest
  },

  Query: async (body, { input, ask }, history, shapeOf) => {
    const table = String(input.TableName)
    const view = (await shapeOf(table, ask))?.table
    return view ? pageAsSeen(body, input, view, history.justWritten(table)) : body
  },

  BatchGetItem: async (body, { input, ask }, history, shapeOf) => {
    const requests = input.RequestItems as Readonly<
      Record<string, JsonObject & { readonly Keys: readonly Item[] }>
    >
    const responses: Record<string, readonly Item[]> = {
      ...(body.Responses as Record<string, readonly Item[]>),
    }
    for (const [table, request] of Object.entries(requests)) {
      const view = (await shapeOf(table, ask))?.table
      if (!view || request.ConsistentRead === true || unsupportedPart(request)) continue
      const old = history.justWritten(table)
      const fresh = (responses[table] ?? []).filter((item) => !old.has(keyText(item, view)))
      const stale = request.Keys.map((key) => old.get(keyText(key, view))).filter(
        (item) => item !== undefined,
      )
      responses[table] = [...fresh, ...stale]
    }
    return { ...body, Responses: responses }
  },
}
