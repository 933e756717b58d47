import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { type Command, Option } from 'commander'
import { dnsConfiguration } from '../../shared/adapters/net/dns-configuration.ts'
import { dnsResolver } from '../../shared/adapters/net/dns-resolver.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import { lookUpAddresses } from '../../shared/dns/look-up-addresses.ts'
import { askableName } from '../../shared/dns/names.ts'
import type { Resolver } from '../../shared/dns/resolver.ts'
import { reverseName } from '../../shared/dns/reverse-name.ts'
import { CliError } from './cli-error.ts'
import { type AnyAnswer, answerJson, answerText } from './dns-answer.ts'
import type { Session } from './session.ts'

/** What can be looked up: the type of record, or `ips` for IPv4 and IPv6 addresses together. */
const types = {
  a: 'A',
  aaaa: 'AAAA',
  ips: 'ips',
  mx: 'MX',
  txt: 'TXT',
  ptr: 'PTR',
  cname: 'CNAME',
  ns: 'NS',
  srv: 'SRV',
  tlsa: 'TLSA',
} as const

type LookupType = (typeof types)[keyof typeof types]

/** Whom to ask; left out, the system's resolvers. */
export interface ResolverOptions {
  readonly server?: string
  readonly trustAd?: boolean
}

const help = `
Types: ${Object.keys(types).join(', ')}; ips, the addresses of both kinds, where none is given. A ptr lookup takes an IP
address. Asks from this machine, not from the installation: the resolvers of /etc/resolv.conf, or the given one.

"with dnssec" says that the resolver validated the answer, and that it is believed: it is on this machine's loopback, or
--trust-ad or the option trust-ad of /etc/resolv.conf says so. The exit code is 1 when nothing was found.

Examples:
  postern dns lookup mail.example.org
  postern dns lookup mx example.org --server 127.0.0.1:5353
  postern dns lookup tlsa _25._tcp.mail.example.org
  postern dns lookup ptr 192.0.2.1`

/** Adds `postern dns`. */
export function addDnsCommands(program: Command, session: Session): void {
  const dns = program.command('dns').description("ask the DNS, as Postern's own resolver does")
  const lookup = dns
    .command('lookup <type> [name]')
    .usage('[options] [type] <name>')
    .description('show the records of a name, and whether DNSSEC vouches for them')
  addResolverOptions(lookup)
    .addHelpText('after', help)
    .action(async (first: string, second: string | undefined, options: ResolverOptions) => {
      const type = second === undefined ? 'ips' : readType(first)
      const name = readName(type, second ?? first)
      const answer = await lookUp(openResolver(options), type, name)
      session.show(answerJson(type, name, answer), answerText(type, name, answer))
      if (answer.kind !== 'found') process.exitCode = 1
    })
}

/** Adds the options that say whom to ask. */
export function addResolverOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--server <address[:port]>', 'the resolver to ask, or up to three with commas between'),
    )
    .option('--trust-ad', 'believe the resolver that an answer is authentic, although it is not on loopback')
}

function lookUp(resolver: Resolver, type: LookupType, name: string): Promise<AnyAnswer> {
  return type === 'ips' ? lookUpAddresses(resolver, name) : resolver.lookUp(type, name)
}

/** Throws a CliError for what is no server. */
export function openResolver({ server, trustAd = false }: ResolverOptions): Resolver {
  const settings = { trustsAd: trustAd, ...(server !== undefined && { servers: server }) }
  try {
    const configuration = dnsConfiguration(settings, '--server')
    return dnsResolver(configuration, { clock: systemClock, random: systemRandom })
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error))
  }
}

function readType(text: string): LookupType {
  const type = Object.entries(types).find(([name]) => name === text.toLowerCase())?.[1]
  if (type === undefined) {
    throw new CliError(`type: ${JSON.stringify(text)} must be one of ${Object.keys(types).join(', ')}`)
  }
  return type
}

function readName(type: LookupType, text: string): string {
  if (type === 'PTR') {
    const name = reverseName(text)
    if (name === undefined) throw new CliError(`name: ${JSON.stringify(text)} must be an IP address`)
    return name
  }
  const absolute = text.replace(/\.$/, '')
  const name = askableName(/^[\x00-\x7f]*$/.test(absolute) ? absolute : domainToASCII(absolute))
  if (name !== undefined && isIP(name) === 0) return name
  throw new CliError(
    `name: ${JSON.stringify(text)} must be a domain name, of labels of 1 to 63 octets and 253 octets in all`,
  )
}
