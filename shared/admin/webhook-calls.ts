import { type Context, Hono } from 'hono'
import * as z from 'zod/mini'
import type { Instant } from '../base/clock.ts'
import { callEvents, matchesFilter } from '../webhook/call-filter.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { AdminPorts } from './admin-ports.ts'
import { queuedCallJson, retiredCallJson } from './call-json.ts'
import { readCallFilter } from './filters.ts'
import { accountNames, answerPage, pageFields } from './list-query.ts'
import { answer, readQuery } from './request.ts'
import { existingRow } from './row-names.ts'

const commonFields = {
  ...pageFields,
  event: z.optional(z.enum(callEvents)),
  submitted: z.optional(z.string()),
}
const queueQuery = z.strictObject({
  ...commonFields,
  nextattempt: z.optional(z.string()),
  sort: z.optional(z.enum(['NextAttempt', 'Submitted'])),
})
const retiredQuery = z.strictObject({
  ...commonFields,
  lastactivity: z.optional(z.string()),
  result: z.optional(z.enum(['success', 'failure'])),
  sort: z.optional(z.enum(['LastActivity', 'Submitted'])),
})

/** Webhook calls that wait, the next attempt first; finished ones, the last activity first; and one of either. */
export function webhookCallRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', (context) => listCalls(ports, context, 'queued'))
  routes.get('/retired', (context) => listCalls(ports, context, 'retired'))
  routes.get('/:id{\\d+}', (context) => showCall(ports, context, context.req.param('id')))
  routes.get('/:account/:id{\\d+}', (context) =>
    showCall(ports, context, `${context.req.param('account')}/${context.req.param('id')}`),
  )
  return routes
}

async function listCalls(
  ports: AdminPorts,
  context: Context,
  which: 'queued' | 'retired',
): Promise<Response> {
  const query = which === 'queued' ? readQuery(context, queueQuery) : readQuery(context, retiredQuery)
  const [options, now] = [await ports.options.readNewest(), ports.clock.now()]
  const filter = await readCallFilter(
    { options, now, lists: ports.callLists },
    {
      ...(query.ids !== undefined && { IDs: query.ids.split(',').map((id) => id.trim()) }),
      Account: query.account,
      Event: query.event,
      Submitted: query.submitted,
      NextAttempt: 'nextattempt' in query ? query.nextattempt : undefined,
      LastActivity: 'lastactivity' in query ? query.lastactivity : undefined,
      ...('result' in query && query.result && { Success: query.result === 'success' }),
    },
  )
  return await answerPage(context, ports.callLists, options, query, {
    lists: which === 'queued' ? ['active', 'held'] : ['retired'],
    sortById: 'Submitted',
    names: filter.names,
    ascending: which === 'queued',
    matches: (call) => (call.state === 'done') === (which === 'retired') && matchesFilter(filter, call),
    json: (call) => callJson(call, now),
  })
}

async function showCall(ports: AdminPorts, context: Context, name: string): Promise<Response> {
  const options = await ports.options.readNewest()
  const call = await existingRow(ports.callLists, accountNames(options, undefined), name)
  return answer(context, callJson(call, ports.clock.now()))
}

function callJson(call: WebhookCall, now: Instant): object {
  return call.state === 'done' ? retiredCallJson(call, now) : queuedCallJson(call, now)
}
