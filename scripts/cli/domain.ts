import type { Command } from 'commander'
import type { DomainJson, DomainRemovedJson, DomainSetJson } from '../../shared/admin/domains.ts'
import { CliError } from './cli-error.ts'
import { addDomainSesCommand } from './domain-ses.ts'
import { fields, printable, table } from './print.ts'
import type { Session } from './session.ts'

interface DomainOptions {
  readonly separator?: readonly string[] | false
  readonly disabled?: boolean
  readonly enabled?: boolean
  readonly dmarcReportAddress?: string | false
  readonly tlsReportAddress?: string | false
}

const addHelp = `
A separator lets you+anything@example.org reach you@example.org.

Examples:
  postern domain add example.org
  postern domain add example.org --separator + -`

const updateHelp = `
Examples:
  postern domain update example.org --separator + -
  postern domain update example.org --disabled
  postern domain update example.org --dmarc-report-address dmarc@example.org --no-tls-report-address`

/** Adds `postern domain …`. */
export function addDomainCommands(program: Command, session: Session): void {
  const domain = program.command('domain').description('domains whose mail is accepted')
  domain
    .command('list')
    .description('list the domains')
    .action(async () => {
      const domains = await (await session.client()).get<DomainJson[]>('/domains')
      session.show(domains, table(['DOMAIN', 'SEPARATORS', 'STATE'], domains.map(row)))
    })
  domain
    .command('show <name>')
    .description('show a domain')
    .action(async (name: string) => {
      const found = await (await session.client()).get<DomainJson>(pathOf(name))
      session.show(found, describe(found))
    })
  domain
    .command('add <name>')
    .description('add a domain')
    .option('--separator <text...>', 'what may end the local part (default: +)')
    .option('--no-separator', 'nothing ends the local part')
    .addHelpText('after', addHelp)
    .action(async (name: string, options: DomainOptions) => await addDomain(session, name, options))
  domain
    .command('update <name>')
    .description('change a domain')
    .option('--separator <text...>', 'what may end the local part')
    .option('--no-separator', 'nothing ends the local part')
    .option('--disabled', 'send and receive nothing')
    .option('--enabled', 'send and receive again')
    .option('--dmarc-report-address <address>', 'DMARC reports that come there are read and kept')
    .option('--no-dmarc-report-address', 'read no DMARC reports')
    .option('--tls-report-address <address>', 'reports about TLS that come there are read and kept')
    .option('--no-tls-report-address', 'read no reports about TLS')
    .addHelpText('after', updateHelp)
    .action(async (name: string, options: DomainOptions) => await updateDomain(session, name, options))
  domain
    .command('remove <name>')
    .description('remove a domain that has no addresses any more')
    .action(async (name: string) => {
      const removed = await (await session.client()).remove<DomainRemovedJson>(pathOf(name))
      const problem = removed.SES
        ? `\nSES knows it still, remove it there: ${printable(removed.SES.Problem)}`
        : ''
      session.show(removed, `domain ${name} removed${problem}`)
    })
  addDomainSesCommand(domain, session)
}

async function addDomain(session: Session, name: string, { separator }: DomainOptions): Promise<void> {
  const client = await session.client()
  // PUT would set a domain anew, and enable one that was disabled for a reason.
  if (await client.find(pathOf(name))) {
    throw new CliError(`domain ${name} exists already; change it with: postern domain update`)
  }
  const added = await client.put<DomainSetJson>(pathOf(name), {
    LocalpartCatchallSeparators: separator === false ? [] : (separator ?? ['+']),
  })
  const problem =
    added.SES && 'Problem' in added.SES
      ? `\nSES does not know it yet: ${printable(added.SES.Problem)}\nrepeat with: postern domain ses ${name}`
      : ''
  session.show(added, `domain ${nameOf(added)} added${problem}`)
}

async function updateDomain(session: Session, name: string, options: DomainOptions): Promise<void> {
  const { separator, disabled, enabled, dmarcReportAddress, tlsReportAddress } = options
  if (disabled && enabled) throw new CliError('--disabled and --enabled exclude each other')
  const changes = {
    ...(separator !== undefined && { LocalpartCatchallSeparators: separator === false ? [] : separator }),
    ...((disabled || enabled) && { Disabled: Boolean(disabled) }),
    ...(dmarcReportAddress !== undefined && { DMARCReportAddress: dmarcReportAddress || null }),
    ...(tlsReportAddress !== undefined && { TLSReportAddress: tlsReportAddress || null }),
  }
  if (Object.keys(changes).length === 0) {
    throw new CliError('nothing to change: give an option, such as --separator or --disabled')
  }
  const updated = await (await session.client()).patch<DomainJson>(pathOf(name), changes)
  session.show(updated, `domain ${nameOf(updated)} changed`)
}

function pathOf(name: string): string {
  return `/domains/${encodeURIComponent(name)}`
}

function nameOf({ Domain }: DomainJson): string {
  return Domain.Unicode || Domain.ASCII
}

function row(domain: DomainJson): string[] {
  return [nameOf(domain), domain.LocalpartCatchallSeparators.join(' ') || '-', stateOf(domain)]
}

function describe(domain: DomainJson): string {
  return fields({
    Domain: nameOf(domain),
    ...(domain.Domain.Unicode && { 'ASCII name': domain.Domain.ASCII }),
    Separators: domain.LocalpartCatchallSeparators.join(' '),
    State: stateOf(domain),
    ...(domain.DMARCReportAddress !== null && { 'DMARC reports': domain.DMARCReportAddress }),
    ...(domain.TLSReportAddress !== null && { 'TLS reports': domain.TLSReportAddress }),
  })
}

function stateOf({ Disabled }: DomainJson): string {
  return Disabled ? 'disabled' : 'enabled'
}
