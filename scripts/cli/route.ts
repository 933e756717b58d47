import type { Command } from 'commander'
import type { RouteJson } from '../../shared/admin/transports.ts'
import { CliError } from './cli-error.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

const setHelp = `
Each ROUTE is TRANSPORT[,from=DOMAIN…][,to=DOMAIN…][,attempts=N]. The first route that matches decides. Domains that
a route does not name match all; .example.org matches example.org and everything below it; attempts=N applies the
route once N attempts were made. The list replaces the one that was there.

Examples:
  postern route set relay
  postern route set internal,to=.corp.example,to=partner.example relay
  postern route set fallback,attempts=3 relay`

/** Adds `postern route …`. */
export function addRouteCommands(program: Command, session: Session): void {
  const route = program.command('route').description('which transport takes which mail')
  route
    .command('list')
    .description('list the routes in the order in which they are tried')
    .action(async () => {
      const routes = await (await session.client()).get<RouteJson[]>('/routes')
      session.show(routes, describe(routes))
    })
  route
    .command('set [routes...]')
    .description('set all routes')
    .option('--none', 'remove all routes: mail waits in the queue')
    .addHelpText('after', setHelp)
    .action(async (texts: readonly string[], { none }: { readonly none?: boolean }) => {
      if (none ? texts.length > 0 : texts.length === 0)
        throw new CliError('give the routes, or --none for no route')
      const routes = await (await session.client()).put<RouteJson[]>('/routes', texts.map(parseRoute))
      session.show(routes, describe(routes))
    })
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
  const rows = routes.map(({ FromDomain, ToDomain, MinimumAttempts, Transport }) => [
    Transport,
    FromDomain.join(' ') || 'all',
    ToDomain.join(' ') || 'all',
    String(MinimumAttempts),
  ])
  return table(['TRANSPORT', 'FROM', 'TO', 'ATTEMPTS'], rows)
}
