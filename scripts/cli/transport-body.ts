import { readFileSync } from 'node:fs'
import type { TransportJson } from '../../shared/admin/transport-json.ts'
import { CliError } from './cli-error.ts'
import { askSecret, canAsk } from './prompt.ts'
import { withoutUndefined } from './without-undefined.ts'

/** The options of `postern transport set`. */
export interface TransportOptions {
  readonly kind: TransportJson['Kind']
  readonly host?: string
  readonly port?: number
  readonly tls?: string
  readonly username?: string
  readonly passwordFile?: string
  readonly mechanism?: readonly string[]
  readonly onlyFamily?: '4' | '6'
  readonly address?: string
  readonly remoteHostname?: string
  readonly remoteIp?: readonly string[]
  readonly code?: number
  readonly message?: string
}

type OptionName = Exclude<keyof TransportOptions, 'kind'>

const relayOptions = ['host', 'port', 'tls', 'username', 'passwordFile', 'mechanism'] as const

const optionsOf: Readonly<Record<TransportJson['Kind'], readonly OptionName[]>> = {
  smtp: relayOptions,
  submission: relayOptions,
  submissions: relayOptions,
  direct: ['onlyFamily'],
  socks: ['address', 'remoteHostname', 'remoteIp'],
  ses: [],
  fail: ['code', 'message'],
}

/** In the order of the help. */
export const transportKinds = Object.keys(optionsOf)

const needed: Readonly<Partial<Record<TransportJson['Kind'], readonly OptionName[]>>> = {
  smtp: ['host'],
  submission: ['host'],
  submissions: ['host'],
  socks: ['address', 'remoteHostname', 'remoteIp'],
}

/** The body of the request; asks for the password if it has to. Throws {@link CliError}. */
export async function transportBody(options: TransportOptions): Promise<object> {
  const { kind, onlyFamily } = options
  checkOptions(options)
  return withoutUndefined({
    Kind: kind,
    Host: options.host,
    Port: options.port,
    TLS: options.tls,
    Login: await loginBody(options),
    OnlyFamily: onlyFamily && Number(onlyFamily),
    Address: options.address,
    RemoteHostname: options.remoteHostname,
    RemoteIPs: options.remoteIp,
    SMTPCode: options.code,
    SMTPMessage: options.message,
  })
}

function checkOptions({ kind, ...given }: TransportOptions): void {
  const foreign = Object.keys(given).find((name) => !optionsOf[kind].includes(name as OptionName))
  if (foreign !== undefined) throw new CliError(`${flagOf(foreign)} is no option of --kind ${kind}`)
  const missing = (needed[kind] ?? []).filter((name) => given[name] === undefined)
  if (missing.length > 0) throw new CliError(`--kind ${kind} needs ${missing.map(flagOf).join(', ')}`)
  if (given.username !== undefined) return
  const withoutUser = (['passwordFile', 'mechanism'] as const).find((name) => given[name] !== undefined)
  if (withoutUser) throw new CliError(`${flagOf(withoutUser)} needs --username`)
}

async function loginBody(options: TransportOptions): Promise<object | undefined> {
  const { username, mechanism } = options
  if (username === undefined) return undefined
  const password = await passwordOf(options)
  return withoutUndefined({
    Username: username,
    Password: password === '' ? undefined : password,
    Mechanisms: mechanism,
  })
}

/** Never an argument: other users of the machine may see those. Empty keeps the one that was set before. */
async function passwordOf({ host, username, passwordFile }: TransportOptions): Promise<string> {
  if (passwordFile !== undefined) return readPassword(passwordFile)
  return canAsk() ? await askSecret(`Password of ${username} at ${host} (empty keeps the present one)`) : ''
}

function readPassword(file: string): string {
  const password = readLine(file)
  if (password !== '') return password
  throw new CliError(`--password-file: ${file} is empty`)
}

function readLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new CliError(`--password-file: ${error instanceof Error ? error.message : error}`)
  }
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
