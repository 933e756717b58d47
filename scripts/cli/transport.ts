import { type Command, InvalidArgumentError, Option } from 'commander'
import type { TransportJson } from '../../shared/admin/transports.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

interface TransportOptions {
  readonly host: string
  readonly port: number
  readonly tls: string
}

const addHelp = `
With --tls opportunistic the connection is encrypted where the relay offers it; with required, mail waits until the
relay shows a certificate that fits its name. A transport of that name that exists is replaced.

Example:
  postern transport add relay --host smtp.example.org --port 587`

/** Adds `postern transport …`. */
export function addTransportCommands(program: Command, session: Session): void {
  const transport = program.command('transport').description('relays that take mail and carry it on')
  transport
    .command('list')
    .description('list the transports')
    .action(async () => {
      const transports = await (await session.client()).get<TransportJson[]>('/transports')
      const rows = transports.map(({ Name, Host, Port, TLS }) => [Name, Host, String(Port), TLS])
      session.show(transports, table(['NAME', 'HOST', 'PORT', 'TLS'], rows))
    })
  transport
    .command('add <name>')
    .description('add or replace a transport')
    .requiredOption('--host <host>', 'host name or IP address')
    .option('--port <number>', 'TCP port', readPort, 587)
    .addOption(
      new Option('--tls <use>', 'encryption')
        .choices(['none', 'opportunistic', 'required'])
        .default('required'),
    )
    .addHelpText('after', addHelp)
    .action(async (name: string, { host, port, tls }: TransportOptions) => {
      const body = { Host: host, Port: port, TLS: tls }
      const added = await (await session.client()).put<TransportJson>(pathOf(name), body)
      session.show(added, `transport ${name} leads to ${added.Host} port ${added.Port}`)
    })
  transport
    .command('remove <name>')
    .description('remove a transport that no route names')
    .action(async (name: string) => {
      await (await session.client()).remove(pathOf(name))
      session.show({}, `transport ${name} removed`)
    })
}

function readPort(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('A port is a whole number.')
  return Number(text)
}

function pathOf(name: string): string {
  return `/transports/${encodeURIComponent(name)}`
}
