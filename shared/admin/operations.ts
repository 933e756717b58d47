import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { Options } from '../account/options.ts'
import { parseTime } from '../attempts/time-filter.ts'
import { formatInstant, type Instant, SECOND } from '../base/clock.ts'
import { parseDuration } from '../base/duration.ts'
import { lookUp } from '../base/look-up.ts'
import { parseRowId, rowIdAt } from '../base/row-id.ts'
import { atBeginning, type Operation, type Work } from '../operations/operation.ts'
import { runOperation } from '../operations/run-operation.ts'
import type { MessageAction } from '../queue/act.ts'
import { LONGEST_WAIT_MS } from '../queue/queued-message.ts'
import type { CallAction } from '../webhook/act.ts'
import type { ReplayAction } from '../webhook/replay.ts'
import type { AdminPorts } from './admin-ports.ts'
import { callFilter, messageFilter, readCallFilter, readMessageFilter } from './filters.ts'
import { accountNames, limitField } from './list-query.ts'
import { answer, NotFoundError, RequestError, readBody, readQuery } from './request.ts'

/** An operation and how far it is. */
export interface OperationJson {
  readonly ID: number
  readonly Queue: 'messages' | 'webhooks'
  readonly Action: string
  readonly DryRun: boolean
  readonly State: Operation['state']
  readonly Started: string
  readonly Moved: string
  readonly Accounts: number
  readonly AccountsDone: number
  /** Rows looked at, those that the filter matched, and what became of these. */
  readonly Read: number
  readonly Matched: number
  readonly Changed: number
  /** Left alone because a worker had them: try again. */
  readonly Attempting: number
  /** Left alone because a message waits at most 80 days. */
  readonly TooLate: number
}

const NANOSECONDS = 1_000_000
/** What one call does itself; the rest is the sweep's. */
const ROWS_IN_CALL = 500
const LONGEST_CALL_MS = 15 * SECOND

const messageActionBody = z.strictObject({
  Action: z.enum(['hold', 'release', 'schedule', 'postpone', 'transport', 'requiretls', 'fail', 'drop']),
  Filter: messageFilter,
  At: z.optional(z.string()),
  By: z.optional(z.string()),
  Transport: z.optional(z.string()),
  RequireTLS: z.optional(z.nullable(z.boolean())),
  DryRun: z._default(z.boolean(), false),
})
const callActionBody = z.strictObject({
  Action: z.enum(['release', 'schedule', 'postpone', 'cancel', 'replay']),
  Filter: callFilter,
  At: z.optional(z.string()),
  By: z.optional(z.string()),
  DryRun: z._default(z.boolean(), false),
})

/**
 * Acts on chosen rows, or on all that a filter matches: `POST /queue/actions`, `POST /webhooks/actions`. What is
 * too much for one call goes on by itself; `GET /operations/ID` says how far it is, `DELETE` stops it.
 */
export function operationRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.post('/queue/actions', async (context) => {
    const body = await readBody(context, messageActionBody)
    const [options, now] = [await ports.options.readNewest(), ports.clock.now()]
    const filter = await readMessageFilter({ options, now, lists: ports.messageLists }, body.Filter)
    const action = readMessageAction(body, options, now)
    const operation = await beginOperation(ports, options, { queue: 'messages', filter, action }, body.DryRun)
    return answer(context, operationJson(operation))
  })
  routes.post('/webhooks/actions', async (context) => {
    const body = await readBody(context, callActionBody)
    const [options, now] = [await ports.options.readNewest(), ports.clock.now()]
    checkCallFilter(body)
    const filter = await readCallFilter({ options, now, lists: ports.callLists }, body.Filter)
    const action = readCallAction(body, now)
    const operation = await beginOperation(ports, options, { queue: 'webhooks', filter, action }, body.DryRun)
    return answer(context, operationJson(operation))
  })
  routes.get('/operations', async (context) => {
    const { limit } = readQuery(context, z.strictObject({ limit: limitField }))
    return answer(context, (await ports.operations.list(Number(limit))).map(operationJson))
  })
  routes.get('/operations/:id', async (context) =>
    answer(context, operationJson(await existingOperation(ports, context.req.param('id')))),
  )
  routes.delete('/operations/:id', async (context) =>
    answer(context, operationJson(await cancelOperation(ports, context.req.param('id')))),
  )
  return routes
}

/** Begins an operation, and carries it on for as long as one call can take. */
export async function beginOperation(
  ports: AdminPorts,
  options: Options,
  work: Work,
  isDryRun: boolean,
): Promise<Operation> {
  const now = ports.clock.now()
  const operation: Operation = {
    id: rowIdAt(now, Math.floor(ports.random.fraction() * 4096)),
    startedAt: now,
    movedAt: now,
    work,
    isDryRun,
    accounts: accountNames(options, work.filter.account),
    state: 'running',
    progress: atBeginning,
  }
  await ports.operations.add(operation)
  const limits = { rows: ROWS_IN_CALL, until: now + LONGEST_CALL_MS }
  const ran = await runOperation(ports, operation, limits)
  // Somebody may have canceled it, or gone on with it.
  return (ran.state === 'running' && (await ports.operations.read(ran.id))) || ran
}

function readMessageAction(
  body: z.output<typeof messageActionBody>,
  options: Options,
  now: Instant,
): MessageAction {
  const { Action, Transport, RequireTLS } = body
  switch (Action) {
    case 'schedule':
      return { kind: 'schedule', at: readAt(body.At, now) }
    case 'postpone':
      return { kind: 'postpone', byMs: readBy(body.By) }
    case 'transport':
      if (Transport === undefined)
        throw new RequestError('Transport', 'is required; empty follows the routes')
      if (Transport !== '' && !lookUp(options.transports, Transport)) {
        throw new RequestError('Transport', `there is no transport ${JSON.stringify(Transport)}`)
      }
      return { kind: 'transport', transport: Transport }
    case 'requiretls':
      if (RequireTLS === undefined) throw new RequestError('RequireTLS', 'is required: true, false or null')
      return { kind: 'requireTls', requireTls: RequireTLS ?? 'no wish' }
    case 'hold':
      return { kind: 'hold', reason: 'by an operator' }
    default:
      return { kind: Action }
  }
}

function readCallAction(body: z.output<typeof callActionBody>, now: Instant): CallAction | ReplayAction {
  switch (body.Action) {
    case 'schedule':
      return { kind: 'schedule', at: readAt(body.At, now) }
    case 'postpone':
      return { kind: 'postpone', byMs: readBy(body.By) }
    default:
      return { kind: body.Action }
  }
}

/** A filter that could match nothing, or all, of what the action is about was meant for another one. */
function checkCallFilter({ Action, Filter }: z.output<typeof callActionBody>): void {
  const wrong = Action === 'replay' ? (['NextAttempt'] as const) : (['LastActivity', 'Success'] as const)
  for (const field of wrong) {
    if (Filter[field] === undefined) continue
    const rule = Action === 'replay' ? 'finished calls have none' : 'only finished calls have one: see replay'
    throw new RequestError(`Filter.${field}`, rule)
  }
}

function readAt(text: string | undefined, now: Instant): Instant {
  if (text === undefined) throw new RequestError('At', 'is required')
  const at = parseTime(text, now)
  if (at === undefined)
    throw new RequestError('At', 'must be now, a duration from now such as 30m, or RFC 3339')
  if (at > now + LONGEST_WAIT_MS) throw new RequestError('At', 'must be within 80 days')
  return at
}

function readBy(text: string | undefined): number {
  if (text === undefined) throw new RequestError('By', 'is required')
  const nanoseconds = parseDuration(text)
  if (nanoseconds === undefined) throw new RequestError('By', 'must be a duration such as 1h30m or -10m')
  if (Math.abs(nanoseconds) > LONGEST_WAIT_MS * NANOSECONDS) {
    throw new RequestError('By', 'must be within 80 days')
  }
  return nanoseconds / NANOSECONDS
}

async function existingOperation(ports: AdminPorts, text: string): Promise<Operation> {
  const id = parseRowId(text)
  const operation = id === undefined ? undefined : await ports.operations.read(id)
  if (!operation) throw new NotFoundError(`there is no operation ${text}`)
  return operation
}

/** What it has done stays done. */
async function cancelOperation(ports: AdminPorts, text: string): Promise<Operation> {
  for (;;) {
    const operation = await existingOperation(ports, text)
    if (operation.state !== 'running') return operation
    const { progress } = operation
    const canceled = {
      ...operation,
      state: 'canceled',
      movedAt: ports.clock.now(),
      progress: { ...progress, steps: progress.steps + 1 },
    } as const
    if (await ports.operations.advance(operation, canceled)) return canceled
  }
}

function operationJson({ work, progress, ...operation }: Operation): OperationJson {
  return {
    ID: operation.id,
    Queue: work.queue,
    Action: work.action.kind.toLowerCase(),
    DryRun: operation.isDryRun,
    State: operation.state,
    Started: formatInstant(operation.startedAt),
    Moved: formatInstant(operation.movedAt),
    Accounts: operation.accounts.length,
    AccountsDone: progress.accountsDone,
    Read: progress.read,
    Matched: progress.matched,
    Changed: progress.changed,
    Attempting: progress.attempting,
    TooLate: progress.tooLate,
  }
}
