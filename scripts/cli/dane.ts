import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { type Command, Option } from 'commander'
import {
  allUsages,
  formatTlsa,
  makeRecord,
  parseTlsaParameter,
  TlsaSyntaxError,
} from '../../shared/dane/tlsa.ts'
import { CliError } from './cli-error.ts'
import { type DialReport, dialMailHosts, dialService, reportText } from './dane-dial.ts'
import { addResolverOptions, openResolver, type ResolverOptions } from './dns.ts'
import { readDomain } from './read-domain.ts'
import { readHello, readPort } from './read-place.ts'
import type { Session } from './session.ts'

interface DialOptions extends ResolverOptions {
  readonly usages?: string
}

interface DialMxOptions extends ResolverOptions {
  readonly ehlo: string
  readonly port: string
}

const dialHelp = `
Asks and calls from this machine, not from the installation. The resolver must validate, and be believed: it is on this
machine's loopback, or --trust-ad says so. The exit code is 0 only for a server that a TLSA record verifies.

Examples:
  postern dane dial mx.example.org:465
  postern dane dial www.example.org:443 --usages dane-ta,dane-ee --server 127.0.0.1:5353`

const dialMxHelp = `
Does what a delivery does before it says who the mail is from, and demands that DNSSEC vouches for every step: finds the
hosts of the domain, their addresses and TLSA records, and calls them with STARTTLS, one after the other, until a TLSA
record verifies one. With a host, only that one is called. Asks and calls from this machine, as dane dial does.

Examples:
  postern dane dialmx example.org
  postern dane dialmx example.org mx2.example.org --server 127.0.0.1:5353`

const recordHelp = `
The parameters are numbers or names (RFC 7218): usage 0 pkix-ta, 1 pkix-ee, 2 dane-ta, 3 dane-ee; selector 0 cert, 1 spki;
matching type 0 full, 1 sha2-256, 2 sha2-512. The file is PEM, and the first certificate, public key or private key in it
counts; selector cert needs a certificate. Mail servers publish 3 1 1 of their own key, at _25._tcp.<their name>.

Examples:
  postern dane makerecord 3 1 1 /etc/ssl/private/mx.pem
  postern dane makerecord dane-ta cert sha2-256 authority.pem`

/** Adds `postern dane`. */
export function addDaneCommands(program: Command, session: Session): void {
  const dane = program.command('dane').description('see whether TLSA records verify a server, and make them')
  const dial = dane
    .command('dial <host:port>')
    .description('call a TLS server and hold its certificate against its TLSA records')
    .option('--usages <list>', 'the certificate usages that count, with commas between (default: all four)')
  addResolverOptions(dial)
    .addHelpText('after', dialHelp)
    .action(async (place: string, options: DialOptions) => {
      const { host, port } = readPlace(place)
      const usages = readUsages(options.usages)
      show(session, [await dialService(openResolver(options), { host, port, usages })])
    })
  const dialMx = dane
    .command('dialmx <domain> [destination-host]')
    .description('call the mail hosts of a domain with STARTTLS and DANE')
    .addOption(new Option('--ehlo <name>', 'what EHLO says').default(hostname(), "this machine's name"))
    .addOption(new Option('--port <number>', 'the port of the hosts').default('25'))
  addResolverOptions(dialMx)
    .addHelpText('after', dialMxHelp)
    .action(async (domain: string, host: string | undefined, options: DialMxOptions) => {
      show(
        session,
        await dialMailHosts(openResolver(options), {
          domain: readDomain('domain', domain),
          ...(host !== undefined && { host: readDomain('destination-host', host) }),
          hostname: readHello(options.ehlo),
          port: readPort('--port', options.port),
        }),
      )
    })
  dane
    .command('makerecord <usage> <selector> <matching-type> <file>')
    .description('make the TLSA record of a certificate or key')
    .addHelpText('after', recordHelp)
    .action((usage: string, selector: string, matchingType: string, file: string) => {
      const record = orCliError(() =>
        makeRecord(
          parseTlsaParameter('usage', usage),
          parseTlsaParameter('selector', selector),
          parseTlsaParameter('matching type', matchingType),
          readPem(file),
        ),
      )
      session.show({ ...record, data: Buffer.from(record.data).toString('hex') }, formatTlsa(record))
    })
}

function show(session: Session, reports: readonly DialReport[]): void {
  session.show(reports, reports.map(reportText).join('\n\n'))
  if (!reports.some(({ verified }) => verified)) process.exitCode = 1
}

function readPlace(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.*):(\d+)$/.exec(text) ?? []
  if (host === undefined || port === undefined) {
    throw new CliError(`host:port: ${JSON.stringify(text)} must be a name and a port, as mx.example.org:25`)
  }
  return { host: readDomain('host', host), port: readPort('port', port) }
}

function readUsages(text: string | undefined): readonly number[] {
  if (text === undefined) return allUsages
  return text.split(',').map((usage) => orCliError(() => parseTlsaParameter('usage', usage.trim())))
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(`file: ${error instanceof Error ? error.message : error}`)
  }
}

function orCliError<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof TlsaSyntaxError) throw new CliError(error.message)
    throw error
  }
}
