import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { Options, Relay, Route, TransportSettings } from '../account/options.ts'
import { parseDomainName } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import type { AdminPorts } from './admin-ports.ts'
import { readDomain } from './fields.ts'
import { answer, NotFoundError, RequestError, readBody } from './request.ts'

/** A relay, in answers. */
export interface TransportJson {
  readonly Name: string
  readonly Host: string
  readonly Port: number
  readonly TLS: Relay['tls']
}

/** A route, in requests and answers; empty lists match everything. */
export interface RouteJson {
  readonly FromDomain: readonly string[]
  readonly ToDomain: readonly string[]
  readonly MinimumAttempts: number
  readonly Transport: string
}

const transportBody = z.strictObject({
  Host: z.string().check(z.refine(isHost, 'must be a host name or an IP address')),
  Port: z
    .number()
    .check(
      z.refine(
        (port) => Number.isInteger(port) && port > 0 && port < 65536,
        'must be a whole number from 1 to 65535',
      ),
    ),
  TLS: z.enum(['none', 'opportunistic', 'required']),
})

const routesBody = z.array(
  z.strictObject({
    FromDomain: z._default(z.array(z.string()), []),
    ToDomain: z._default(z.array(z.string()), []),
    MinimumAttempts: z._default(
      z
        .number()
        .check(
          z.refine(
            (count) => Number.isInteger(count) && count >= 0 && count <= 100,
            'must be a whole number from 0 to 100',
          ),
        ),
      0,
    ),
    Transport: z.string(),
  }),
)

/** Transports: list, show, set, remove. */
export function transportRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const { transports } = await ports.options.readNewest()
    const names = Object.keys(transports).sort()
    return answer(
      context,
      names.flatMap((name) => (transports[name] ? [transportJson(name, transports[name])] : [])),
    )
  })
  routes.get('/:name', async (context) => {
    const name = context.req.param('name')
    return answer(context, transportJson(name, existingTransport(await ports.options.readNewest(), name)))
  })
  routes.put('/:name', async (context) => {
    const name = readTransportName(context.req.param('name'))
    const { Host, Port, TLS } = await readBody(context, transportBody)
    const relay: Relay = { kind: kindOf(Port), host: Host, port: Port, tls: TLS }
    await ports.options.change((options) => ({
      ...options,
      transports: { ...options.transports, [name]: relay },
    }))
    return answer(context, transportJson(name, relay))
  })
  routes.delete('/:name', async (context) => {
    const name = context.req.param('name')
    await ports.options.change((options) => withoutTransport(options, name))
    return answer(context, {})
  })
  return routes
}

/** Routes: the whole list is read and set, because their order decides. */
export function routeRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const options = await ports.options.readNewest()
    return answer(context, options.routes.map(routeJson))
  })
  routes.put('/', async (context) => {
    const read = (await readBody(context, routesBody, 'Routes')).map(readRoute)
    const { routes: stored } = await ports.options.change((options) => withRoutes(options, read))
    return answer(context, stored.map(routeJson))
  })
  return routes
}

function withoutTransport(options: Options, name: string): Options {
  existingTransport(options, name)
  if (options.routes.some(({ transport }) => transport === name)) {
    throw new RequestError('Transport', `${name} is named by a route; change the routes first`)
  }
  const { [name]: _removed, ...transports } = options.transports
  return { ...options, transports }
}

function withRoutes(options: Options, routes: readonly Route[]): Options {
  for (const [place, { transport }] of routes.entries()) {
    if (!Object.hasOwn(options.transports, transport)) {
      throw new RequestError(
        `Routes[${place}].Transport`,
        `there is no transport ${JSON.stringify(transport)}`,
      )
    }
  }
  return { ...options, routes }
}

function readRoute(route: RouteJson, place: number): Route {
  return {
    fromDomains: route.FromDomain.map((text, index) =>
      readPattern(`Routes[${place}].FromDomain[${index}]`, text),
    ),
    toDomains: route.ToDomain.map((text, index) => readPattern(`Routes[${place}].ToDomain[${index}]`, text)),
    minimumAttempts: route.MinimumAttempts,
    transport: route.Transport,
  }
}

/** A dot before a domain name means that domain and all below it. */
function readPattern(field: string, text: string): string {
  return text.startsWith('.') ? `.${readDomain(field, text.slice(1))}` : readDomain(field, text)
}

function readTransportName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) return name
  throw new RequestError(
    'Transport',
    'must be 1 to 63 lower-case letters, digits, dots, dashes or underscores, and begin with a letter or digit',
  )
}

function isHost(text: string): boolean {
  if (/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) return URL.canParse(`http://[${text}]/`)
  // The URL parser reads 127.1 as an address too; only the form with four numbers comes back as it went in.
  if (/^[0-9.]+$/.test(text))
    return URL.canParse(`http://${text}/`) && new URL(`http://${text}/`).hostname === text
  try {
    parseDomainName(text)
    return true
  } catch {
    return false
  }
}

function existingTransport(options: Options, name: string): TransportSettings {
  const relay = lookUp(options.transports, name)
  if (!relay) throw new NotFoundError(`there is no transport ${JSON.stringify(name)}`)
  return relay
}

function kindOf(port: number): Relay['kind'] {
  return port === 465 ? 'submissions' : port === 587 ? 'submission' : 'smtp'
}

function transportJson(name: string, transport: TransportSettings): TransportJson {
  if (!('tls' in transport)) throw new Error('not a relay')
  return { Name: name, Host: transport.host, Port: transport.port, TLS: transport.tls }
}

function routeJson(route: Route): RouteJson {
  return {
    FromDomain: route.fromDomains,
    ToDomain: route.toDomains,
    MinimumAttempts: route.minimumAttempts,
    Transport: route.transport,
  }
}
