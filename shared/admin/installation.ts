import { Hono } from 'hono'
import * as z from 'zod/mini'
import { ADMINISTRATOR } from '../account/credential-store.ts'
import { storePassword } from '../account/password.ts'
import type { AdminPorts } from './admin-ports.ts'
import { passwordField, readDomain } from './fields.ts'
import { answer, readBody } from './request.ts'

/** The answer to `hostname`. */
export interface HostnameJson {
  readonly Hostname: string
}

const passwordBody = z.strictObject({ Password: passwordField })
const hostnameBody = z.strictObject({ Hostname: z.string() })

/** What there is once: the administrator's password and the server's own name. */
export function installationRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.put('/password', async (context) => {
    const { Password } = await readBody(context, passwordBody)
    await ports.credentials.setPassword(ADMINISTRATOR, await storePassword(Password, ports.random))
    return answer(context, {})
  })
  routes.get('/hostname', async (context) => {
    const { hostname } = await ports.options.readNewest()
    return answer(context, { Hostname: hostname } satisfies HostnameJson)
  })
  routes.put('/hostname', async (context) => {
    const { Hostname } = await readBody(context, hostnameBody)
    const hostname = readDomain('Hostname', Hostname)
    await ports.options.change((options) => ({ ...options, hostname }))
    return answer(context, { Hostname: hostname } satisfies HostnameJson)
  })
  return routes
}
