import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { type Command, Option } from 'commander'
import { dialSmtp, type SmtpDial } from '../../shared/adapters/net/smtp-dial.ts'
import { SECOND } from '../../shared/base/clock.ts'
import { findHostAddresses } from '../../shared/destination/find-host-addresses.ts'
import { CliError } from './cli-error.ts'
import { addResolverOptions, openResolver, type ResolverOptions } from './dns.ts'
import { readDomain } from './read-domain.ts'
import { readHello, readPort } from './read-place.ts'
import type { Session } from './session.ts'
import { reportOf, reportText, type SmtpReport } from './smtp-report.ts'

interface DialOptions extends ResolverOptions {
  readonly ehlo: string
  readonly tls?: SmtpDial['tls']
}

const DIAL_MS = 30 * SECOND
const SUBMISSIONS_PORT = 465

const help = `
Calls a server from this machine, not from the installation, shows its greeting, what it offers to EHLO before and after
STARTTLS, its certificates, and whether they are those of an authority that this machine trusts, for that host. --tls:
offered uses STARTTLS where the server offers it, required in any case; immediate has TLS from the first octet (as port
465, for which it is the default), none goes without. No message is sent. The exit code is 1 where there was no session
as it was asked for; a certificate that is not trusted is shown, and no failure.

Examples:
  postern smtp dial mx.example.org
  postern smtp dial smtp.example.org:465
  postern smtp dial 192.0.2.1:587 --tls required --json`

/** Adds `postern smtp`. */
export function addSmtpCommands(program: Command, session: Session): void {
  const smtp = program.command('smtp').description('see what an SMTP server says of itself')
  const dial = smtp
    .command('dial <host[:port]>')
    .description('call a server, and show what it offers and proves itself with')
    .addOption(new Option('--ehlo <name>', 'what EHLO says').default(hostname(), "this machine's name"))
    .addOption(
      new Option('--tls <how>', 'how to encrypt (default: offered)').choices([
        'offered',
        'required',
        'immediate',
        'none',
      ]),
    )
  addResolverOptions(dial)
    .addHelpText('after', help)
    .action(async (text: string, options: DialOptions) => {
      const report = await call(readPlace(text), options)
      session.show(report, reportText(report))
      if (report.error !== undefined) process.exitCode = 1
    })
}

interface Place {
  /** A name, or an IP address. */
  readonly host: string
  readonly port: number
}

async function call({ host, port }: Place, options: DialOptions): Promise<SmtpReport> {
  const dialed = { host, port, hostname: readHello(options.ehlo) }
  const found = known(host) ?? (await findHostAddresses(openResolver(options), host))
  if (found.kind !== 'found') return { host, port, error: found.error }
  const tls = options.tls ?? (port === SUBMISSIONS_PORT ? 'immediate' : 'offered')
  return reportOf(dialed, await dialSmtp({ ...dialed, addresses: found.addresses, tls, timeoutMs: DIAL_MS }))
}

/** What no DNS is asked for (RFC 6761 §6.3). */
function known(host: string) {
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : isIP(host) ? [host] : undefined
  return addresses && { kind: 'found' as const, addresses }
}

/** As in `mx.example.org`, `mx.example.org:587`, `192.0.2.1:25`, `[2001:db8::1]:25`, `2001:db8::1`. */
function readPlace(text: string): Place {
  if (isIP(text) === 6) return { host: text, port: 25 }
  const [, inBrackets, plain = '', port = '25'] = /^(?:\[(.*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? []
  if (inBrackets !== undefined && isIP(inBrackets) !== 6) {
    throw new CliError(`host: ${JSON.stringify(inBrackets)} must be an IPv6 address`)
  }
  const host = inBrackets ?? (isIP(plain) === 4 ? plain : readDomain('host', plain))
  return { host, port: readPort('port', port) }
}
