import { isIPv6 } from 'node:net'
import { beginSasl, type SaslPorts } from '../../account/begin-sasl.ts'
import type { Login } from '../../account/log-in.ts'
import type { OptionsStore } from '../../account/options-store.ts'
import {
  type ChannelBindings,
  SASL_MECHANISMS,
  type SaslEnd,
  type SaslMechanism,
} from '../../account/sasl.ts'
import { readBase64 } from '../../base/base64.ts'
import { SECOND } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { LoginLimiter } from '../../limits/login-limiter.ts'
import type { Refusal } from '../../smtp/refusal.ts'
import { channelBindings } from './channel-bindings.ts'
import type { AuthenticatingClient, AuthenticationExchange, AuthenticationHooks } from './smtp-service.ts'

interface SmtpAuthPorts extends Omit<SaslPorts, 'options'> {
  readonly options: OptionsStore
  readonly loginLimiter: LoginLimiter
  readonly log: Log
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>
}

interface SmtpAuthSettings {
  /** Whether a client on this machine may log in without TLS. */
  readonly plaintextOnLoopback: boolean
}

/** The refusals of a connection after which it is ended; from the third each takes a second longer. */
const MOST_FAILURES = 5
const UNDELAYED_FAILURES = 2

const TLS_NEEDED: Refusal = { code: 538, enhancedCode: '5.7.11', text: 'begin TLS before logging in' }
const NO_SUCH_MECHANISM: Refusal = { code: 504, enhancedCode: '5.5.4', text: 'no such mechanism here' }
const NOT_BASE64: Refusal = { code: 501, enhancedCode: '5.5.2', text: 'not base64 (RFC 4648)' }
const CANCELLED: Refusal = { code: 501, enhancedCode: '5.5.0', text: 'authentication cancelled' }
const TOO_MANY: Refusal = {
  code: 421,
  enhancedCode: '4.7.0',
  text: 'too many failed logins, try again later',
}

/** SMTP's AUTH (RFC 4954) over SASL, with the limit of failures that the webapi counts too. */
export function smtpAuthentication(ports: SmtpAuthPorts, settings: SmtpAuthSettings): AuthenticationHooks {
  return {
    mechanisms: (client) => offered(settings, client, bindingsOf(client)),

    async authenticate(exchange, clientGone) {
      const bindings = bindingsOf(exchange)
      const mechanisms = offered(settings, exchange, bindings)
      if (mechanisms.length === 0) return TLS_NEEDED
      const mechanism = mechanisms.find((name) => name === exchange.mechanism)
      if (!mechanism) return NO_SUCH_MECHANISM

      const { ipAddress } = exchange.client
      const admission = await ports.loginLimiter.admit(ipAddress)
      if (!admission) throw new Error(`the address of the client is unknown: ${ipAddress}`)
      if (admission.kind === 'refused') return TOO_MANY
      const end = await converse(ports, exchange, mechanism, bindings)
      if ('code' in end) return end
      if (end.kind === 'login') {
        await admission.succeeded()
        return logged(ports.log, exchange, end.login)
      }
      // Who does not speak the mechanism has tried no password.
      if (end.kind !== 'malformed') await admission.failed()
      return await refuse(ports, exchange, end, clientGone)
    },
  }
}

function bindingsOf({ tlsSocket }: AuthenticatingClient): ChannelBindings {
  return tlsSocket ? channelBindings(tlsSocket, tlsSocket.getX509Certificate()) : {}
}

/** Nothing where TLS must come first. */
function offered(
  { plaintextOnLoopback }: SmtpAuthSettings,
  { client, tlsSocket }: AuthenticatingClient,
  bindings: ChannelBindings,
): readonly SaslMechanism[] {
  if (!tlsSocket && !(plaintextOnLoopback && isLoopback(client.ipAddress))) return []
  const canBind = Object.keys(bindings).length > 0
  return SASL_MECHANISMS.filter((name) => canBind || name !== 'SCRAM-SHA-256-PLUS')
}

function isLoopback(ipAddress: string): boolean {
  return isIPv6(ipAddress) ? ipAddress === '::1' : ipAddress.startsWith('127.')
}

/** Challenges and answers to the end of the mechanism, or to what is wrong with their form. */
async function converse(
  ports: SmtpAuthPorts,
  exchange: AuthenticationExchange,
  mechanism: SaslMechanism,
  bindings: ChannelBindings,
): Promise<SaslEnd | Refusal> {
  const { initialResponse } = exchange
  // RFC 4954 §4: an equals sign is an initial response without octets; none at all is something else.
  const initial = initialResponse === '=' ? Buffer.of() : readBase64(initialResponse ?? '')
  if (!initial) return NOT_BASE64
  const sasl = { ...ports, options: await ports.options.read() }
  let step = await beginSasl(sasl, mechanism, bindings, initialResponse === undefined ? undefined : initial)
  while (step.kind === 'challenge') {
    const line = await exchange.challenge(Buffer.from(step.text).toString('base64'))
    if (line === undefined || line === '*') return CANCELLED
    const response = readBase64(line)
    if (!response) return NOT_BASE64
    step = await step.answer(response)
  }
  return step
}

function logged(log: Log, { client, mechanism }: AuthenticationExchange, login: Login): Login {
  const { ipAddress, sessionId, tls } = client
  log.info('smtp login', { ipAddress, sessionId, mechanism, account: login.name, tls: tls?.protocol })
  return login
}

/** Whoever fails again and again waits longer each time, and must connect anew after some. */
async function refuse(
  { log, wait }: SmtpAuthPorts,
  { client, mechanism, failures }: AuthenticationExchange,
  { kind, reason }: Exclude<SaslEnd, { readonly kind: 'login' }>,
  clientGone: AbortSignal,
): Promise<Refusal> {
  const { ipAddress, sessionId } = client
  log.info('smtp login refused', { ipAddress, sessionId, mechanism, reason })
  await wait(Math.max(0, failures + 1 - UNDELAYED_FAILURES) * SECOND, clientGone)
  return failures + 1 >= MOST_FAILURES ? TOO_MANY : { ...REPLIES[kind], text: reason }
}

/** RFC 4954 §6, RFC 5248 §2.4; 5.7.7 is mox's choice for a channel that is not the same at both ends. */
const REPLIES = {
  refused: { code: 535, enhancedCode: '5.7.8' },
  disabled: { code: 525, enhancedCode: '5.7.13' },
  unbound: { code: 535, enhancedCode: '5.7.7' },
  malformed: { code: 501, enhancedCode: '5.5.2' },
} as const
