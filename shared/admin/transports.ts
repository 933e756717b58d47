import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { Options, Relay, RelayLogin, TransportSettings } from '../account/options.ts'
import { lookUp } from '../base/look-up.ts'
import { keepRelayPassword } from '../queue/relay-passwords.ts'
import type { AdminPorts } from './admin-ports.ts'
import { answer, NotFoundError, RequestError, readBody } from './request.ts'
import { ownerOfRouteTo } from './routes.ts'
import { readTransport, transportJson, type WantedRelay, type WantedTransport } from './transport-json.ts'

/** Transports: list, show, set, remove. Passwords of relays come in and never go out. */
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
    const wanted = readTransport(await readBody(context, z.unknown()))
    return answer(context, transportJson(name, await setTransport(ports, name, wanted)))
  })
  routes.delete('/:name', async (context) => {
    await removeTransport(ports, context.req.param('name'))
    return answer(context, {})
  })
  return routes
}

/** A new password is there before the options name it, and the one before it until they no longer do. */
async function setTransport(
  ports: AdminPorts,
  name: string,
  wanted: WantedTransport,
): Promise<TransportSettings> {
  const password = 'login' in wanted ? wanted.login?.password : undefined
  const newSecret = password === undefined ? undefined : await keepRelayPassword(ports, name, password)
  let before: TransportSettings | undefined
  const after = await ports.options.change((options) => {
    before = lookUp(options.transports, name)
    const transport = 'tls' in wanted ? withSecret(wanted, newSecret, before) : wanted
    return { ...options, transports: { ...options.transports, [name]: transport } }
  })
  const set = existingTransport(after, name)
  await forgetPassword(ports, before, set)
  return set
}

async function removeTransport(ports: AdminPorts, name: string): Promise<void> {
  let removed: TransportSettings | undefined
  await ports.options.change((options) => {
    removed = existingTransport(options, name)
    const owner = ownerOfRouteTo(options, name)
    if (owner !== undefined) {
      throw new RequestError('Transport', `${name} is named by a route of ${owner}; change the routes first`)
    }
    const { [name]: _removed, ...transports } = options.transports
    return { ...options, transports }
  })
  await forgetPassword(ports, removed)
}

/** The relay with the name of its password: the new one, or the one that is there. */
function withSecret(
  { login, ...relay }: WantedRelay,
  newSecret: string | undefined,
  before: TransportSettings | undefined,
): Relay {
  if (!login) return relay
  const { username, mechanisms } = login
  const secretName = newSecret ?? presentSecret(before, relay.host, username)
  return { ...relay, login: { username, mechanisms, secretName } }
}

/** The password that is there was given for that user at that host, and is told to nobody else. */
function presentSecret(before: TransportSettings | undefined, host: string, username: string): string {
  const login = before && 'tls' in before && before.host === host ? before.login : undefined
  if (login?.username === username) return login.secretName
  throw new RequestError('Login.Password', 'is required for a new user name or host')
}

async function forgetPassword(
  { relayPasswords }: AdminPorts,
  before: TransportSettings | undefined,
  after?: TransportSettings,
): Promise<void> {
  const secretName = loginOf(before)?.secretName
  if (secretName !== undefined && secretName !== loginOf(after)?.secretName) {
    await relayPasswords.remove(secretName)
  }
}

function loginOf(transport: TransportSettings | undefined): RelayLogin | undefined {
  return transport && 'login' in transport ? transport.login : undefined
}

function readTransportName(name: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) return name
  throw new RequestError(
    'Transport',
    'must be 1 to 63 lower-case letters, digits, dots, dashes or underscores, and begin with a letter or digit',
  )
}

function existingTransport(options: Options, name: string): TransportSettings {
  const transport = lookUp(options.transports, name)
  if (!transport) throw new NotFoundError(`there is no transport ${JSON.stringify(name)}`)
  return transport
}
