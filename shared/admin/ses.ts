import { Hono } from 'hono'
import { formatUnicodeDomain } from '../address/domain-name.ts'
import type { AdminPorts } from './admin-ports.ts'
import { hostedDomain } from './domains.ts'
import { readDomain } from './fields.ts'
import { answer, RequestError } from './request.ts'
import { ensureIdentity } from './ses-identities.ts'

/** The identity of a domain in SES: seen to once more, and shown. */
export function sesRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.post('/:domain/ses', async (context) => {
    const domain = readDomain('Domain', context.req.param('domain'))
    hostedDomain(await ports.options.readNewest(), domain)
    const identity = await ensureIdentity(ports, domain)
    if (identity) return answer(context, identity)
    throw new RequestError(
      'Domain',
      `must be known beyond this machine, unlike ${formatUnicodeDomain(domain)}`,
    )
  })
  return routes
}
