import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { variables } from '../../runtime/names.ts'
import { isLoopbackAddress } from './public-address.ts'

/** A recursive resolver. */
export interface DnsServer {
  /** An IP address. */
  readonly address: string
  readonly port: number
}

/** Whom to ask, and how. */
export interface DnsConfiguration {
  /** One to three, in the order in which they are asked. */
  readonly servers: readonly DnsServer[]
  /** Whether we believe them that an answer is authentic (AD): nobody can change it between them and us. */
  readonly isTrusted: boolean
  /** How long one server has for one answer. */
  readonly timeoutMs: number
  /** How often servers that do not answer are asked. */
  readonly rounds: number
}

/** What the settings say (`dnsSettings`). */
interface DnsSettings {
  readonly servers?: string
  readonly trustsAd: boolean
}

const PORT = 53
/** As resolv.conf(5) has it, and its defaults for no file. */
const MAX_SERVERS = 3
const DEFAULT_SERVERS = ['127.0.0.1', '::1']
const DEFAULT_TIMEOUT_SECONDS = 5
const MAX_TIMEOUT_SECONDS = 30
const DEFAULT_ROUNDS = 2
const MAX_ROUNDS = 5

const RESOLV_CONF = '/etc/resolv.conf'

/**
 * Reads the settings, and /etc/resolv.conf where they leave the servers to the system; it is read once. Servers are
 * trusted when all of them are on loopback, or when the settings or the option `trust-ad` of resolv.conf say so.
 * Throws for servers that are none, naming the setting; `name` is the option's where the text comes from one.
 */
export function dnsConfiguration(
  { servers = 'system', trustsAd }: DnsSettings,
  name: string = variables.dnsServers,
): DnsConfiguration {
  const configuration =
    servers === 'system'
      ? readResolvConf(resolvConf())
      : {
          servers: readServers(servers, name),
          timeoutMs: DEFAULT_TIMEOUT_SECONDS * 1000,
          rounds: DEFAULT_ROUNDS,
          isTrusted: false,
        }
  const isLocal = configuration.servers.every(({ address }) => isLoopbackAddress(address))
  return { ...configuration, isTrusted: configuration.isTrusted || trustsAd || isLocal }
}

/** Reads resolv.conf(5): nameserver, and the options timeout, attempts and trust-ad. What it does not know it skips. */
export function readResolvConf(text: string): DnsConfiguration {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/),
  )
  const addresses = lines
    .flatMap(([keyword, address = '']) => (keyword === 'nameserver' && isIP(address) ? [address] : []))
    .slice(0, MAX_SERVERS)
  const options = lines.flatMap(([keyword, ...values]) => (keyword === 'options' ? values : []))
  const timeoutSeconds = numberOption(options, 'timeout', DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS)
  return {
    servers: (addresses.length > 0 ? addresses : DEFAULT_SERVERS).map((address) => ({ address, port: PORT })),
    isTrusted: options.includes('trust-ad'),
    timeoutMs: timeoutSeconds * 1000,
    rounds: numberOption(options, 'attempts', DEFAULT_ROUNDS, MAX_ROUNDS),
  }
}

function numberOption(options: readonly string[], name: string, otherwise: number, greatest: number): number {
  const value = Number(options.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1))
  return Number.isSafeInteger(value) && value > 0 ? Math.min(value, greatest) : otherwise
}

function resolvConf(): string {
  try {
    return readFileSync(RESOLV_CONF, 'utf8')
  } catch {
    return ''
  }
}

function readServers(text: string, name: string): readonly DnsServer[] {
  const servers = text.split(',').map((server) => readServer(server.trim(), name))
  if (servers.length > MAX_SERVERS)
    throw new Error(`${name}: at most ${MAX_SERVERS} DNS servers, not ${text}`)
  return servers
}

function readServer(text: string, name: string): DnsServer {
  const bare = { address: text, port: PORT }
  const [, bracketed, plain, digits = String(PORT)] = /^(?:\[(.*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const server = isIP(text) ? bare : { address: bracketed ?? plain ?? '', port: Number(digits) }
  const isServer = isIP(server.address) !== 0 && server.port >= 1 && server.port <= 65535
  if (isServer) return server
  throw new Error(
    `${name}: ${JSON.stringify(text)} must be the IP address of a DNS server, perhaps with a port, as 127.0.0.1:53 or [::1]:53`,
  )
}
