import { type Context, Hono } from 'hono'
import * as z from 'zod/mini'
import { formatRowId } from '../base/row-id.ts'
import { queueContent } from '../content/content-store.ts'
import { LARGEST_ANSWER } from '../content/large-answer.ts'
import { matchesFilter } from '../queue/message-filter.ts'
import type { QueuedMessage } from '../queue/queued-message.ts'
import type { AdminPorts } from './admin-ports.ts'
import { readMessageFilter } from './filters.ts'
import { accountNames, answerPage, flagField, pageFields } from './list-query.ts'
import { queuedMessageJson, retiredMessageJson } from './message-json.ts'
import { answer, NotFoundError, readQuery } from './request.ts'
import { existingRow } from './row-names.ts'

/** A whole message (RFC 2046 §5.2.1). */
const MESSAGE_TYPE = 'message/rfc822'

const commonFields = {
  ...pageFields,
  from: z.optional(z.string()),
  to: z.optional(z.string()),
  submitted: z.optional(z.string()),
  transport: z.optional(z.string()),
}
const queueQuery = z.strictObject({
  ...commonFields,
  hold: z.optional(flagField),
  nextattempt: z.optional(z.string()),
  sort: z.optional(z.enum(['NextAttempt', 'Queued'])),
})
const retiredQuery = z.strictObject({
  ...commonFields,
  lastactivity: z.optional(z.string()),
  result: z.optional(z.enum(['success', 'failure'])),
  sort: z.optional(z.enum(['LastActivity', 'Queued'])),
})

/** Queued messages, the next attempt first; retired ones, the last activity first; and one of either. */
export function queueRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', (context) => listQueued(ports, context))
  routes.get('/retired', (context) => listRetired(ports, context))
  routes.get('/:id{\\d+}', (context) => showMessage(ports, context, context.req.param('id')))
  routes.get('/:account/:id{\\d+}', (context) => showMessage(ports, context, nameOf(context)))
  routes.get('/:id{\\d+}/content', (context) => dumpMessage(ports, context, context.req.param('id')))
  routes.get('/:account/:id{\\d+}/content', (context) => dumpMessage(ports, context, nameOf(context)))
  return routes
}

async function listQueued(ports: AdminPorts, context: Context): Promise<Response> {
  const query = readQuery(context, queueQuery)
  const [options, now] = [await ports.options.readNewest(), ports.clock.now()]
  const filter = await readMessageFilter(
    { options, now, lists: ports.messageLists },
    {
      ...commonFilter(query),
      NextAttempt: query.nextattempt,
      ...(query.hold && { Hold: query.hold === 'true' }),
    },
  )
  return await answerPage(context, ports.messageLists, options, query, {
    lists: ['active', 'held'],
    sortById: 'Queued',
    names: filter.names,
    ascending: true,
    matches: (row) => row.state !== 'done' && matchesFilter(filter, row),
    json: (row) => queuedMessageJson(row, now),
  })
}

async function listRetired(ports: AdminPorts, context: Context): Promise<Response> {
  const query = readQuery(context, retiredQuery)
  const [options, now] = [await ports.options.readNewest(), ports.clock.now()]
  const filter = await readMessageFilter(
    { options, now, lists: ports.messageLists },
    {
      ...commonFilter(query),
      LastActivity: query.lastactivity,
      ...(query.result && { Success: query.result === 'success' }),
    },
  )
  return await answerPage(context, ports.messageLists, options, query, {
    lists: ['retired'],
    sortById: 'Queued',
    names: filter.names,
    ascending: false,
    matches: (row) => row.state === 'done' && matchesFilter(filter, row),
    json: (row) => retiredMessageJson(row, now),
  })
}

/** Everything about one message, with what was said at each attempt. */
async function showMessage(ports: AdminPorts, context: Context, name: string): Promise<Response> {
  const row = await findMessage(ports, name)
  const now = ports.clock.now()
  const json =
    row.state === 'done' ? retiredMessageJson(row, now, 'whole') : queuedMessageJson(row, now, 'whole')
  return answer(context, json)
}

/** The message as it is sent, octet for octet; a large one is to be fetched elsewhere, without the password. */
async function dumpMessage(ports: AdminPorts, context: Context, name: string): Promise<Response> {
  const row = await findMessage(ports, name)
  const isKept = row.state !== 'done'
  if (isKept && row.size > LARGEST_ANSWER) {
    return context.redirect(await ports.largeAnswers.linkTo(queueContent(row.base), MESSAGE_TYPE), 303)
  }
  const content = isKept ? await ports.content.read(queueContent(row.base)) : undefined
  if (!content) {
    throw new NotFoundError(
      isKept ? `the content of ${name} is no longer kept` : `${name} is finished: its content is not kept`,
    )
  }
  return context.body(new Uint8Array(content), 200, {
    'Content-Type': MESSAGE_TYPE,
    'Content-Disposition': `attachment; filename="${formatRowId(row.id)}.eml"`,
  })
}

async function findMessage(ports: AdminPorts, name: string): Promise<QueuedMessage> {
  const options = await ports.options.readNewest()
  return await existingRow(ports.messageLists, accountNames(options, undefined), name)
}

function nameOf(context: Context): string {
  return `${context.req.param('account')}/${context.req.param('id')}`
}

function commonFilter(query: {
  readonly account?: string | undefined
  readonly ids?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly submitted?: string | undefined
  readonly transport?: string | undefined
}) {
  return {
    ...(query.ids !== undefined && { IDs: query.ids.split(',').map((id) => id.trim()) }),
    Account: query.account,
    From: query.from,
    To: query.to,
    Submitted: query.submitted,
    Transport: query.transport,
  }
}
