import * as z from 'zod/mini'
import {
  type LoginMechanism,
  type Relay,
  type RelayLogin,
  relayKindAt,
  type TransportSettings,
} from '../account/options.ts'
import { parseDomainName } from '../address/domain-name.ts'
import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts'
import { plainText, readDomain } from './fields.ts'
import { RequestError, readValue } from './request.ts'

/** A transport, in answers: its kind, and the fields of that kind. */
export type TransportJson = { readonly Name: string } & SettingsJson

/** The fields of each kind; those of requests are the same, and have the password besides. */
type SettingsJson =
  | {
      readonly Kind: Relay['kind']
      readonly Host: string
      readonly Port: number
      readonly TLS: Relay['tls']
      readonly Login: LoginJson | null
    }
  | { readonly Kind: 'direct'; readonly OnlyFamily: 4 | 6 | null }
  | {
      readonly Kind: 'socks'
      /** Host and port of the proxy, such as `proxy.example:1080` or `[2001:db8::1]:1080`. */
      readonly Address: string
      readonly RemoteHostname: string
      readonly RemoteIPs: readonly string[]
    }
  | { readonly Kind: 'ses' }
  | { readonly Kind: 'fail'; readonly SMTPCode: number; readonly SMTPMessage: string }

/** How to log in at a relay; the password is never shown. */
interface LoginJson {
  readonly Username: string
  readonly Mechanisms: readonly LoginMechanism[]
}

/** A transport as it is wanted: its password is still to be kept. */
export type WantedTransport = Exclude<TransportSettings, Relay> | WantedRelay

/** Without password, the one that is there stays. */
export interface WantedRelay extends Omit<Relay, 'login'> {
  readonly login?: Omit<RelayLogin, 'secretName'> & { readonly password?: string }
}

const transportKinds = [
  'smtp',
  'submission',
  'submissions',
  'direct',
  'socks',
  'ses',
  'fail',
] as const satisfies readonly TransportSettings['kind'][]

const defaultPorts = { smtp: 25, submission: 587, submissions: 465 } as const

/** Not PLAIN and LOGIN: they tell the password to whoever is there. */
const defaultMechanisms: readonly LoginMechanism[] = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'CRAM-MD5',
]
const mechanisms = [...defaultMechanisms, 'PLAIN', 'LOGIN'] as const

const kindOnly = z.looseObject({ Kind: z.optional(z.enum(transportKinds)), Port: z.optional(z.unknown()) })
const kind = { Kind: z.optional(z.string()) }

/** RFC 4616 §2, as the other mechanisms: no NUL; and whatever could end a line is no part of a password either. */
function loginText(most: number) {
  return plainText(most).check(z.refine((text) => text !== '', 'must not be empty'))
}

const login = z.strictObject({
  Username: loginText(255),
  Password: z.optional(loginText(1024)),
  Mechanisms: z._default(
    z
      .array(z.enum(mechanisms))
      .check(
        z.refine(
          (names) => names.length > 0 && new Set(names).size === names.length,
          'must name at least one mechanism, and none twice',
        ),
      ),
    [...defaultMechanisms],
  ),
})

const relayFields = {
  ...kind,
  Host: z.string().check(z.refine(isHost, 'must be a host name or an IP address')),
  Port: z.optional(z.number().check(z.refine(isPort, 'must be a whole number from 1 to 65535'))),
  Login: z._default(z.nullable(login), null),
}
const startTlsBody = z.strictObject({
  ...relayFields,
  TLS: z._default(z.enum(['none', 'opportunistic', 'unverified', 'required']), 'required'),
})
/** RFC 8314 §3.3: there is no session without. */
const implicitTlsBody = z.strictObject({
  ...relayFields,
  TLS: z._default(z.enum(['unverified', 'required']), 'required'),
})

const directBody = z.strictObject({
  ...kind,
  OnlyFamily: z._default(
    z.nullable(z.number().check(z.refine((family) => family === 4 || family === 6, 'must be 4, 6 or null'))),
    null,
  ),
})
const socksBody = z.strictObject({
  ...kind,
  Address: z.string(),
  RemoteHostname: z.string(),
  RemoteIPs: z.array(z.string()).check(z.refine((texts) => texts.length > 0, 'must name at least one')),
})
const sesBody = z.strictObject(kind)
const failBody = z.strictObject({
  ...kind,
  SMTPCode: z._default(
    z
      .number()
      .check(
        z.refine(
          (code) => Number.isInteger(code) && code >= 400 && code <= 599,
          'must be a whole number from 400 to 599',
        ),
      ),
    554,
  ),
  SMTPMessage: z._default(
    z
      .string()
      .check(
        z.refine(
          (text) => /^[\x20-\x7e]{1,256}$/.test(text),
          'must be 1 to 256 characters of printable ASCII',
        ),
      ),
    'refused by the configuration of this server',
  ),
})

/**
 * Reads what a request wants a transport to be. Without `Kind` it is a relay: submissions at port 465, submission at
 * 587, else smtp. Throws {@link RequestError}.
 */
export function readTransport(body: unknown): WantedTransport {
  const { Kind, Port } = readValue(kindOnly, body, '')
  if (Kind === undefined && Port === undefined) {
    throw new RequestError('Kind', `must be one of ${transportKinds.join(', ')}`)
  }
  const kind = Kind ?? relayKindAt(Port)
  switch (kind) {
    case 'smtp':
    case 'submission':
    case 'submissions':
      return readRelay(kind, body)
    case 'direct': {
      const { OnlyFamily: family } = readValue(directBody, body, '')
      return { kind, ...((family === 4 || family === 6) && { onlyFamily: family }) }
    }
    case 'socks':
      return { kind, ...readProxy(readValue(socksBody, body, '')) }
    case 'ses':
      readValue(sesBody, body, '')
      return { kind }
    case 'fail': {
      const { SMTPCode: code, SMTPMessage: message } = readValue(failBody, body, '')
      return { kind, code, message }
    }
  }
}

/** Writes a transport, without its password. */
export function transportJson(name: string, transport: TransportSettings): TransportJson {
  return { Name: name, ...settingsJson(transport) }
}

function settingsJson(transport: TransportSettings): SettingsJson {
  switch (transport.kind) {
    case 'smtp':
    case 'submission':
    case 'submissions': {
      const { kind: Kind, host: Host, port: Port, tls: TLS, login: known } = transport
      const Login = known ? { Username: known.username, Mechanisms: known.mechanisms } : null
      return { Kind, Host, Port, TLS, Login }
    }
    case 'direct':
      return { Kind: 'direct', OnlyFamily: transport.onlyFamily ?? null }
    case 'socks':
      return {
        Kind: 'socks',
        Address: formatAddress(transport),
        RemoteHostname: transport.hostname,
        RemoteIPs: transport.ipAddresses,
      }
    case 'ses':
      return { Kind: 'ses' }
    case 'fail':
      return { Kind: 'fail', SMTPCode: transport.code, SMTPMessage: transport.message }
  }
}

function readRelay(kind: Relay['kind'], body: unknown): WantedRelay {
  const { Host, Port, TLS, Login } = readValue(
    kind === 'submissions' ? implicitTlsBody : startTlsBody,
    body,
    '',
  )
  const relay = { kind, host: Host, port: Port ?? defaultPorts[kind], tls: TLS }
  if (!Login) return relay
  const { Username, Password, Mechanisms } = Login
  const login = { username: Username, mechanisms: Mechanisms }
  return { ...relay, login: { ...login, ...(Password !== undefined && { password: Password }) } }
}

function readProxy({ Address, RemoteHostname, RemoteIPs }: z.output<typeof socksBody>) {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(Address) ?? []
  const [host = '', port] = [bracketed ?? plain, Number(digits)]
  const isWritten = bracketed === undefined || host.includes(':')
  if (!isWritten || !isHost(host) || !isPort(port)) {
    throw new RequestError(
      'Address',
      'must be host:port, with a host name or an IP address, IPv6 in brackets',
    )
  }
  const ipAddresses = RemoteIPs.map((text, place) => {
    const address = text.includes('%') ? undefined : parseIpAddress(text)
    if (!address) throw new RequestError(`RemoteIPs[${place}]`, 'must be an IP address')
    return formatIpAddress(address)
  })
  return { host, port, hostname: readDomain('RemoteHostname', RemoteHostname), ipAddresses }
}

function formatAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65536
}

function isHost(text: string): boolean {
  if (/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text)) return URL.canParse(`http://[${text}]/`)
  // The URL parser reads 127.1 as an address too; only the form with four numbers comes back as it went in.
  if (/^[0-9.]+$/.test(text))
    return URL.canParse(`http://${text}/`) && new URL(`http://${text}/`).hostname === text
  try {
    parseDomainName(text)
    return true
  } catch {
    return false
  }
}
