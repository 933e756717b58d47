import { type Command, InvalidArgumentError, Option } from 'commander'
import type { TransportJson } from '../../shared/admin/transport-json.ts'
import { CliError } from './cli-error.ts'
import { fields, table } from './print.ts'
import type { Session } from './session.ts'
import { type TransportOptions, transportBody, transportKinds } from './transport-body.ts'

const setHelp = `
What a kind needs, and what it may have:
  direct       [--only-family]: to the servers of each recipient, with DANE and MTA-STS; needs a deployment with egress
  submissions  --host [--port 465]: to a relay, with TLS from the start
  submission   --host [--port 587]: to a relay, with STARTTLS
  smtp         --host [--port 25]: to a relay, with STARTTLS
  socks        --address --remote-hostname --remote-ip: like direct, through a SOCKS 5 proxy
  ses          through Amazon SES
  fail         [--code 554] [--message]: every attempt fails at once

With --tls opportunistic the connection is encrypted where the relay offers it; unverified fails where it does not;
required also waits until the relay shows a certificate that fits its name. The password for --username is asked for,
or read from --password-file; without a terminal, or with an empty answer, the one that was set before stays.
A transport of that name that exists is replaced.

Examples:
  postern transport set relay --kind submission --host smtp.example.org --username shop
  postern transport set relay --kind submissions --host smtp.example.org --username shop --password-file relay.password
  postern transport set direct4 --kind direct --only-family 4
  postern transport set proxy --kind socks --address proxy.example.org:1080 --remote-hostname out.example.org \\
    --remote-ip 192.0.2.1 2001:db8::1
  postern transport set ses --kind ses
  postern transport set closed --kind fail --code 450 --message "closed until Monday"`

/** Adds `postern transport …`. */
export function addTransportCommands(program: Command, session: Session): void {
  const transport = program.command('transport').description('ways for mail to leave: routes name them')
  transport
    .command('list')
    .description('list the transports')
    .action(async () => {
      const transports = await (await session.client()).get<TransportJson[]>('/transports')
      const rows = transports.map((each) => [each.Name, each.Kind, leadsTo(each)])
      session.show(transports, table(['NAME', 'KIND', 'LEADS TO'], rows))
    })
  transport
    .command('show <name>')
    .description('show a transport')
    .action(async (name: string) => {
      const found = await (await session.client()).get<TransportJson>(pathOf(name))
      session.show(found, describe(found))
    })
  addSet(transport, session)
  transport
    .command('remove <name>')
    .description('remove a transport that no route names')
    .action(async (name: string) => {
      await (await session.client()).remove(pathOf(name))
      session.show({}, `transport ${name} removed`)
    })
}

function addSet(transport: Command, session: Session): void {
  const kind = new Option('--kind <kind>', 'how mail leaves').choices(transportKinds)
  const family = new Option('--only-family <family>', 'only IPv4 or IPv6').choices(['4', '6'])
  const tls = new Option('--tls <use>', 'encryption (default: required)')
  transport
    .command('set <name>')
    .description('add or replace a transport')
    .addOption(kind.makeOptionMandatory())
    .option('--host <host>', 'of a relay: host name or IP address')
    .option('--port <number>', 'of a relay: TCP port', readNumber)
    .addOption(tls.choices(['none', 'opportunistic', 'unverified', 'required']))
    .option('--username <name>', 'of a relay: whom to log in as')
    .option('--password-file <file>', 'where the password is, as one line')
    .option('--mechanism <names...>', 'how to log in, the preferred first (default: SCRAM and CRAM-MD5)')
    .addOption(family)
    .option('--address <host:port>', 'of a proxy')
    .option('--remote-hostname <name>', 'what EHLO says through a proxy')
    .option('--remote-ip <addresses...>', 'from which its connections come')
    .option('--code <number>', 'the reply code that attempts fail with, 400 to 599', readNumber)
    .option('--message <text>', 'the text that attempts fail with')
    .addHelpText('after', setHelp)
    .action(async (name: string, options: TransportOptions) => {
      const client = await session.client()
      const set = await client.put<TransportJson>(pathOf(name), await transportBody(options))
      session.show(set, `transport ${name} set: ${[set.Kind, leadsTo(set)].join(' ').trim()}`)
    })
}

/** The rest of a transport, on one line. */
function leadsTo(transport: TransportJson): string {
  switch (transport.Kind) {
    case 'smtp':
    case 'submission':
    case 'submissions': {
      const { Host, Port, TLS, Login } = transport
      return `${Host} port ${Port}, TLS ${TLS}${Login ? `, as ${Login.Username}` : ''}`
    }
    case 'direct':
      return transport.OnlyFamily === null ? '' : `over IPv${transport.OnlyFamily} only`
    case 'socks':
      return `proxy ${transport.Address}, as ${transport.RemoteHostname}`
    case 'ses':
      return ''
    case 'fail':
      return `${transport.SMTPCode} ${transport.SMTPMessage}`
  }
}

/** All fields as the API names them. */
function describe(transport: TransportJson): string {
  const { Name, Kind, ...rest } = transport
  const login = 'Login' in rest && rest.Login ? { ...rest.Login } : {}
  const shown = Object.entries({ Name, Kind, ...rest, Login: undefined, ...login }).flatMap(
    ([name, value]) =>
      value === undefined || value === null
        ? []
        : [[name, Array.isArray(value) ? value.join(' ') : `${value}`]],
  )
  return fields(Object.fromEntries(shown))
}

function readNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}

function pathOf(name: string): string {
  if (name === '') throw new CliError('the name of a transport must not be empty')
  return `/transports/${encodeURIComponent(name)}`
}
