import { randomBytes, X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { LoginMechanism, RelayLogin } from '../../account/options.ts'
import {
  type ChannelBindings,
  type SaslClient,
  TLS_EXPORTER,
  TLS_SERVER_END_POINT,
} from '../../account/sasl.ts'
import { saslClient } from '../../account/sasl-client.ts'
import type { ScramBinding } from '../../account/scram-client.ts'
import { readBase64 } from '../../base/base64.ts'
import type { SmtpOutcome } from '../../queue/transport.ts'
import { channelBindings } from './channel-bindings.ts'
import { reasonOf, temporary } from './client-outcome.ts'
import { cleanText, replyLine } from './client-reply.ts'
import type { ClientSession } from './client-session.ts'
import { isLoopbackAddress } from './public-address.ts'

/** RFC 5321 §4.5.3.1.4: a command with an initial response that is longer goes without. */
const LONGEST_COMMAND = 510

/**
 * Logs in (RFC 4954) by the first mechanism of ours that the server offers and that fits the connection. Answers why
 * not, if so: always temporary, because an operator can mend it, and without anything secret.
 */
export async function logIn(
  session: ClientSession,
  login: RelayLogin,
  password: string | undefined,
): Promise<SmtpOutcome | undefined> {
  const refuse = (reason: string, reply = '') =>
    temporary(`logging in at ${session.place} as ${cleanText(login.username)}: ${reason}`, reply)
  if (password === undefined) return refuse('no password is stored')
  if (`${login.username}${password}`.includes('\0')) return refuse('name and password may have no NUL')
  const offered = new Set((session.extensions.get('AUTH') ?? '').toUpperCase().split(/[\s=]+/))
  const bindings = bindingsOf(session)
  const mechanism = login.mechanisms.find((each) => offered.has(each) && fits(each, session, bindings))
  if (!mechanism) return refuse(`none of the mechanisms of the transport fits (${listed(offered)})`)
  const client = saslClient({
    mechanism,
    username: login.username,
    password,
    nonce: randomBytes(18).toString('base64'),
    binding: bindingFor(mechanism, login, offered, bindings),
  })
  try {
    const problem = await inTime(session.signal, converse(session, mechanism, client))
    return problem && refuse(problem.reason, problem.reply)
  } catch (error) {
    return refuse(reasonOf(error))
  }
}

interface LoginProblem {
  readonly reason: string
  readonly reply: string
}

/** RFC 4954 §4: challenges and answers, until something other than 334 comes. */
async function converse(
  { connection }: ClientSession,
  mechanism: LoginMechanism,
  client: SaslClient,
): Promise<LoginProblem | undefined> {
  const initial = client.initial && (base64(client.initial) || '=')
  const command = `AUTH ${mechanism}`
  const isShort = initial !== undefined && command.length + 1 + initial.length <= LONGEST_COMMAND
  let reply = await connection.ask(isShort ? `${command} ${initial}` : command)
  if (initial !== undefined && !isShort && isChallenge(reply)) reply = await connection.ask(initial)
  while (isChallenge(reply)) {
    const challenge = readBase64(/^334 ?(\S*)\s*$/.exec(reply)?.[1] ?? '*')
    const answer = challenge ? await client.answer(challenge) : { problem: 'the challenge is not base64' }
    if ('problem' in answer) {
      // RFC 4954 §4: an asterisk cancels.
      await connection.ask('*')
      return { reason: `${mechanism}: ${answer.problem}`, reply: '' }
    }
    reply = await connection.ask(base64(answer.response))
  }
  if (!reply.startsWith('235')) {
    const said = cleanText(reply.replace(/\r?\n/g, '; '))
    return { reason: `${mechanism}: the server answered ${said}`, reply: replyLine(reply) }
  }
  const missing = client.missing()
  return missing === undefined ? undefined : { reason: `${mechanism}: ${missing}`, reply: replyLine(reply) }
}

function isChallenge(reply: string): boolean {
  return reply.startsWith('334')
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64')
}

function listed(offered: ReadonlySet<string>): string {
  const names = [...offered].filter((name) => name !== '')
  return names.length > 0 ? `the server offers ${cleanText(names.join(', '))}` : 'the server offers none'
}

/** The password itself goes through TLS only, or does not leave this machine. */
function fits(
  mechanism: LoginMechanism,
  { proof, remote }: ClientSession,
  bindings: ChannelBindings,
): boolean {
  if (mechanism.endsWith('-PLUS')) return Object.keys(bindings).length > 0
  return (
    (mechanism !== 'PLAIN' && mechanism !== 'LOGIN') ||
    proof !== undefined ||
    isLoopbackAddress(remote.ipAddress)
  )
}

function bindingsOf({ connection, proof }: ClientSession): ChannelBindings {
  const { _socket: socket } = connection
  const [certificate] = proof?.chain ?? []
  if (!(socket instanceof TLSSocket) || !certificate) return {}
  return channelBindings(socket, new X509Certificate(certificate))
}

/** RFC 5802 §6: where we would have bound and the server does not offer it, it hears so, lest somebody took it away. */
function bindingFor(
  mechanism: LoginMechanism,
  { mechanisms }: RelayLogin,
  offered: ReadonlySet<string>,
  bindings: ChannelBindings,
): ScramBinding {
  if (!mechanism.endsWith('-PLUS')) {
    const isOffered = [...offered].some((name) => name.endsWith('-PLUS'))
    const wouldBind = mechanisms.includes(`${mechanism}-PLUS` as LoginMechanism)
    return { flag: wouldBind && !isOffered && Object.keys(bindings).length > 0 ? 'y' : 'n' }
  }
  const name = bindings[TLS_EXPORTER] ? TLS_EXPORTER : TLS_SERVER_END_POINT
  return { flag: 'p', name, data: bindings[name] ?? new Uint8Array() }
}

/** An abort of the signal ends the wait, with its reason. */
async function inTime<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
