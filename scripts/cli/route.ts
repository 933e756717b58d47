import { type Command, InvalidArgumentError, Option } from 'commander'
import type { RouteJson } from '../../shared/admin/routes.ts'
import { CliError } from './cli-error.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

/** Whose routes: without either, those of the installation. */
interface OwnerOptions {
  readonly account?: string
  readonly domain?: string
}

interface AddOptions extends OwnerOptions {
  readonly from?: readonly string[]
  readonly to?: readonly string[]
  readonly attempts: number
  readonly before?: number
}

const help = `
A message goes by the first route that matches: of those of its account, then those of its sender's domain, then those
of the installation. They are looked at anew for every attempt.`

const addHelp = `
Domains that are not named match all; .example.org matches example.org and everything below it. With --attempts N the
route applies once N attempts were made. The new route is the last one, or stands before the one of a number.

Examples:
  postern route add relay
  postern route add internal --to .corp.example partner.example --before 1
  postern route add fallback --attempts 3 --before 1
  postern route add ses --account shop`

const setHelp = `
Each ROUTE is TRANSPORT[,from=DOMAIN…][,to=DOMAIN…][,attempts=N]. The first route that matches decides. Domains that
a route does not name match all; .example.org matches example.org and everything below it; attempts=N applies the
route once N attempts were made. The list replaces the one that was there.

Examples:
  postern route set relay
  postern route set internal,to=.corp.example,to=partner.example relay
  postern route set fallback,attempts=3 relay
  postern route set --none --account shop`

/** Adds `postern route …`. */
export function addRouteCommands(program: Command, session: Session): void {
  const route = program.command('route').description('which transport takes which mail')
  route.addHelpText('after', help)
  ofOwner(route.command('list'))
    .description('list the routes in the order in which they are tried')
    .addHelpText('after', help)
    .action(async (owner: OwnerOptions) => {
      const routes = await (await session.client()).get<RouteJson[]>(pathOf(owner))
      session.show(routes, describe(routes))
    })
  ofOwner(route.command('add <transport>'))
    .description('add a route')
    .option('--from <domains...>', "only for mail of these senders' domains")
    .option('--to <domains...>', 'only for mail to these domains')
    .option('--attempts <number>', 'only once so many attempts were made', readCount, 0)
    .option('--before <number>', 'the route of the list that it stands before', readCount)
    .addHelpText('after', addHelp)
    .action(async (transport: string, options: AddOptions) => await addRoute(session, transport, options))
  ofOwner(route.command('remove <number>'))
    .description('remove a route, by its number in the list')
    .action(async (text: string, owner: OwnerOptions) => await removeRoute(session, text, owner))
  ofOwner(route.command('set [routes...]'))
    .description('set all routes')
    .option('--none', 'remove all routes')
    .addHelpText('after', setHelp)
    .action(async (texts: readonly string[], options: OwnerOptions & { readonly none?: boolean }) => {
      if (options.none ? texts.length > 0 : texts.length === 0)
        throw new CliError('give the routes, or --none for no route')
      await changeRoutes(session, options, () => texts.map(parseRoute))
    })
}

function ofOwner(command: Command): Command {
  return command
    .addOption(new Option('--account <name>', 'of an account').conflicts('domain'))
    .option('--domain <name>', "of a sender's domain")
}

async function addRoute(session: Session, transport: string, options: AddOptions): Promise<void> {
  const { from = [], to = [], attempts, before } = options
  const added = { FromDomain: from, ToDomain: to, MinimumAttempts: attempts, Transport: transport }
  await changeRoutes(session, options, (routes) =>
    routes.toSpliced(before === undefined ? routes.length : placeOf(routes, before), 0, added),
  )
}

async function removeRoute(session: Session, text: string, owner: OwnerOptions): Promise<void> {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  await changeRoutes(session, owner, (routes) => routes.toSpliced(placeOf(routes, number), 1))
}

async function changeRoutes(
  session: Session,
  owner: OwnerOptions,
  edit: (routes: readonly RouteJson[]) => readonly RouteJson[],
): Promise<void> {
  const client = await session.client()
  const before = await client.get<RouteJson[]>(pathOf(owner))
  const routes = await client.put<RouteJson[]>(pathOf(owner), edit(before))
  session.show(routes, describe(routes))
}

function placeOf(routes: readonly RouteJson[], number: number): number {
  if (number >= 1 && number <= routes.length) return number - 1
  const numbers = routes.length === 0 ? 'there are no routes' : `give a number from 1 to ${routes.length}`
  throw new CliError(`there is no such route: ${numbers}`)
}

function parseRoute(text: string): RouteJson {
  const [transport = '', ...conditions] = text.split(',')
  const given = (name: string) =>
    conditions
      .filter((condition) => condition.startsWith(`${name}=`))
      .map((one) => one.slice(name.length + 1))
  const unknown = conditions.find((condition) => !/^(from|to|attempts)=./.test(condition))
  if (unknown !== undefined) {
    throw new CliError(
      `route ${text}: ${JSON.stringify(unknown)} is none of from=DOMAIN, to=DOMAIN, attempts=N`,
    )
  }
  const [attempts = '0', ...more] = given('attempts')
  if (!/^\d{1,4}$/.test(attempts) || more.length > 0) {
    throw new CliError(`route ${text}: attempts= must be given once, as a whole number`)
  }
  return {
    FromDomain: given('from'),
    ToDomain: given('to'),
    MinimumAttempts: Number(attempts),
    Transport: transport,
  }
}

function describe(routes: readonly RouteJson[]): string {
  const rows = routes.map(({ FromDomain, ToDomain, MinimumAttempts, Transport }, place) => [
    String(place + 1),
    Transport,
    FromDomain.join(' ') || 'all',
    ToDomain.join(' ') || 'all',
    String(MinimumAttempts),
  ])
  return table(['NUMBER', 'TRANSPORT', 'FROM', 'TO', 'ATTEMPTS'], rows)
}

function readCount(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}

function pathOf({ account, domain }: OwnerOptions): string {
  if (account !== undefined) return `/accounts/${encodeURIComponent(account)}/routes`
  return domain === undefined ? '/routes' : `/domains/${encodeURIComponent(domain)}/routes`
}
