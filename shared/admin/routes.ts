import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { AccountName, Options, Route } from '../account/options.ts'
import { type DomainName, formatUnicodeDomain } from '../address/domain-name.ts'
import { existingAccount } from './accounts.ts'
import type { AdminPorts } from './admin-ports.ts'
import { hostedDomain } from './domains.ts'
import { readDomain } from './fields.ts'
import { answer, RequestError, readBody } from './request.ts'

/** A route, in requests and answers; empty lists match everything. */
export interface RouteJson {
  readonly FromDomain: readonly string[]
  readonly ToDomain: readonly string[]
  readonly MinimumAttempts: number
  readonly Transport: string
}

/** Whose routes they are: `all` are those of the installation. */
type RouteOwner = 'all' | { readonly account: AccountName } | { readonly domain: DomainName }

const MOST_ATTEMPTS = 100

const routesBody = z.array(
  z.strictObject({
    FromDomain: z._default(z.array(z.string()), []),
    ToDomain: z._default(z.array(z.string()), []),
    MinimumAttempts: z._default(
      z
        .number()
        .check(
          z.refine(
            (count) => Number.isInteger(count) && count >= 0 && count <= MOST_ATTEMPTS,
            `must be a whole number from 0 to ${MOST_ATTEMPTS}`,
          ),
        ),
      0,
    ),
    Transport: z.string(),
  }),
)

/** Routes of accounts, domains and the installation: each list is read and set as a whole, because its order decides. */
export function routeRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  const owned = (path: string, ownerOf: (name: string) => RouteOwner) => {
    routes.get(path, async (context) => {
      const owner = ownerOf(context.req.param('name') ?? '')
      return answer(context, routesOf(await ports.options.readNewest(), owner).map(routeJson))
    })
    routes.put(path, async (context) => {
      const owner = ownerOf(context.req.param('name') ?? '')
      const wanted = (await readBody(context, routesBody, 'Routes')).map(readRoute)
      const after = await ports.options.change((options) => withRoutes(options, owner, wanted))
      return answer(context, routesOf(after, owner).map(routeJson))
    })
  }
  owned('/routes', () => 'all')
  owned('/accounts/:name/routes', (account) => ({ account }))
  owned('/domains/:name/routes', (text) => ({ domain: readDomain('Domain', text) }))
  return routes
}

/** Who has a route that leads to a transport, in words; undefined if nobody. */
export function ownerOfRouteTo(options: Options, transport: string): string | undefined {
  const leads = ({ routes = [] }: { readonly routes?: readonly Route[] }) =>
    routes.some((route) => route.transport === transport)
  if (leads(options)) return 'the installation'
  const [account] = Object.entries(options.accounts).find(([, settings]) => leads(settings)) ?? []
  if (account !== undefined) return `account ${account}`
  const [domain] = Object.entries(options.domains).find(([, settings]) => leads(settings)) ?? []
  return domain === undefined ? undefined : `domain ${formatUnicodeDomain(domain as DomainName)}`
}

function routesOf(options: Options, owner: RouteOwner): readonly Route[] {
  if (owner === 'all') return options.routes
  if ('account' in owner) return existingAccount(options, owner.account).routes ?? []
  return hostedDomain(options, owner.domain).routes ?? []
}

function withRoutes(options: Options, owner: RouteOwner, routes: readonly Route[]): Options {
  for (const [place, { transport }] of routes.entries()) {
    if (!Object.hasOwn(options.transports, transport)) {
      throw new RequestError(
        `Routes[${place}].Transport`,
        `there is no transport ${JSON.stringify(transport)}`,
      )
    }
  }
  if (owner === 'all') return { ...options, routes }
  if ('account' in owner) {
    const account = { ...existingAccount(options, owner.account), routes }
    return { ...options, accounts: { ...options.accounts, [owner.account]: account } }
  }
  const hosted = { ...hostedDomain(options, owner.domain), routes }
  return { ...options, domains: { ...options.domains, [owner.domain]: hosted } }
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

function routeJson(route: Route): RouteJson {
  return {
    FromDomain: route.fromDomains,
    ToDomain: route.toDomains,
    MinimumAttempts: route.minimumAttempts,
    Transport: route.transport,
  }
}
