import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { NoSession, PeerProof, SessionRequest } from '../../direct/sessions.ts'
import type { Remote } from '../../queue/evidence.ts'
import type { TlsFailure } from '../../transport-security/tls-failure.ts'
import { ClientConnection, type ClientLimits } from './client-connection.ts'
import type { Dialogue } from './client-dialogue.ts'
import { formatPlace, reasonOf } from './client-outcome.ts'
import { type Extensions, limitOf, readExtensions } from './client-parameters.ts'
import { parseReply, replyLine } from './client-reply.ts'
import { alertOf, handshakeReason, unjudgedTls, webPkiFailure } from './client-tls.ts'
import { type ConnectTo, connectFirst } from './connect-first.ts'

/** What a session is to be like; `implicit` is TLS from the first octet (RFC 8314 §3.3). */
export interface SessionTerms extends Omit<SessionRequest, 'tls' | 'proxy'> {
  readonly tls: SessionRequest['tls'] | 'implicit'
  readonly limits: ClientLimits
  readonly dialogue: Dialogue
  /** Left out: the straight way. */
  readonly connectTo?: ConnectTo
}

/** Connected, greeted, encrypted where that was asked for or offered, and judged. */
export interface ClientSession {
  readonly kind: 'open'
  readonly connection: ClientConnection
  /** Host and port, as errors name them. */
  readonly place: string
  readonly remote: Remote
  /** What the server offered in its last answer to EHLO. */
  readonly extensions: Extensions
  /** How many RCPT commands the server takes in a transaction; Infinity when it does not say. */
  readonly rcptMax: number
  /** How many MAIL commands it takes in the session; Infinity when it does not say. */
  readonly mailMax: number
  readonly proof?: PeerProof
  readonly withoutTls?: TlsFailure
  readonly signal: AbortSignal
  readonly limits: ClientLimits
  readonly dialogue: Dialogue
  /** The MAIL commands so far. */
  transactions: number
  /** A transaction was begun and came to no content: RSET comes before the next (RFC 5321 §4.1.1.5). */
  isUnfinished: boolean
  /** Nothing more can be had in this session. */
  isSpent: boolean
}

/** Has a session; an abort of the signal ends it. */
export async function openClientSession(terms: SessionTerms): Promise<ClientSession | NoSession> {
  const { dialogue, host, ipAddresses, port, limits, signal, connectTo } = terms
  const place = formatPlace({ host, port })
  const target = { ipAddresses, port, timeoutMs: limits.connectMs, signal }
  const connected = await connectFirst({ ...target, ...(connectTo && { connectTo }) })
  if (connected.kind === 'unreachable') {
    const reasons = new Set(connected.causes.map(({ cause }) => reasonOf(cause)))
    const error = `connecting to ${place}: ${[...reasons].join('; ') || 'it has no address'}`
    return noSession(dialogue, 'connection', error)
  }
  const remote: Remote = { host, ipAddress: connected.ipAddress }
  dialogue.remote = remote
  const connection = connectionOver(connected.socket, terms)
  try {
    await greeted(connection, signal)
  } catch (error) {
    connection.close()
    const proof = proofOf(connection, place)
    return { ...failureOf(error, connection, terms, place), ...(proof && { proof }) }
  }
  return judged(connection, terms, place, remote)
}

/** RFC 5321 §4.1.1.10: the server hears QUIT and has a moment to answer. */
export async function endClientSession(session: ClientSession): Promise<void> {
  const { connection, limits, signal } = session
  session.isSpent = true
  // A server may refuse before it has all data; QUIT would become part of them.
  const { _socket: socket, isSendingContent } = connection
  const isIdle = socket && socket.writableLength === 0 && !isSendingContent
  if (isIdle && !connection.destroyed && !signal.aborted) {
    await new Promise<void>((done) => {
      const timer = setTimeout(done, limits.quitMs)
      connection.once('end', () => {
        clearTimeout(timer)
        done()
      })
      connection.quit()
    })
  }
  connection.close()
}

/** There is no session. */
export function noSession(
  dialogue: Dialogue,
  stage: NoSession['stage'],
  error: string,
  more: Partial<Pick<NoSession, 'reply' | 'code' | 'enhancedCode' | 'failure' | 'proof'>> = {},
): NoSession {
  const known = { reply: '', code: 0, enhancedCode: '', ...more }
  return { kind: 'failed', stage, error, ...known, ...dialogue.evidence(false) }
}

function connectionOver(socket: Socket, terms: SessionTerms): ClientConnection {
  const { host, serverName, port, hello, tls, limits, dialogue } = terms
  const options: SMTPConnection.Options = {
    connection: socket,
    // Asked for with SNI unless it is an IP address.
    host: serverName,
    port,
    name: hello,
    secure: tls === 'implicit',
    ignoreTLS: tls === 'none',
    requireTLS: tls === 'required',
    tls: unjudgedTls(host),
    ...dialogue.loggerOptions,
  }
  return new ClientConnection(options, limits)
}

async function greeted(connection: ClientConnection, signal: AbortSignal): Promise<void> {
  let abort = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort)
      connection.once('error', reject)
      connection.connect((error) => (error ? reject(error) : resolve()))
      if (signal.aborted) abort()
    })
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function failureOf(
  cause: unknown,
  connection: ClientConnection,
  { dialogue, tls }: SessionTerms,
  place: string,
): NoSession {
  const error = cause instanceof Error ? cause : new Error('unknown fault')
  const { command, response, timeoutType } = error as SMTPConnection.SMTPError
  const { code: digits, enhancedCode } = parseReply(response ?? '')
  // What is no reply may still begin with digits.
  const code = digits >= 400 ? digits : 0
  const said = { reply: response === undefined ? '' : replyLine(response), code, enhancedCode }
  const reason = reasonOf(error)
  if (connection.upgrading || (connection.chain && alertOf(error) !== undefined)) {
    const text = `TLS handshake with ${place}: ${reason}`
    const failure = { resultType: 'validation-failure', text, reason: handshakeReason(error) } as const
    return noSession(dialogue, 'tls', text, { ...said, failure })
  }
  // Who knows no EHLO has no STARTTLS either.
  const isWithout = command === 'STARTTLS' || (command === 'EHLO' && tls === 'required' && code >= 500)
  if (isWithout && response !== undefined) {
    const text = `${command} with ${place}: ${reason}`
    const failure = {
      resultType: 'starttls-not-supported',
      text,
      reason: command === 'STARTTLS' ? `smtp-starttls-reply-code-${code}` : '',
    } as const
    return noSession(dialogue, 'tls', text, { ...said, failure })
  }
  const doing = timeoutType === 'GREETING_TIMEOUT' ? 'waiting for the greeting of' : 'opening a session with'
  return noSession(dialogue, 'greeting', `${doing} ${place}: ${reason}`, said)
}

function judged(
  connection: ClientConnection,
  terms: SessionTerms,
  place: string,
  remote: Remote,
): ClientSession | NoSession {
  const { dialogue, limits, signal } = terms
  const { _socket: socket } = connection
  const extensions = readExtensions(connection.ehloLines)
  const state = { transactions: 0, isUnfinished: false, isSpent: false }
  const limited = { rcptMax: limitOf(extensions, 'RCPTMAX'), mailMax: limitOf(extensions, 'MAILMAX') }
  const session = { kind: 'open', connection, place, extensions, signal, limits, dialogue } as const
  const proof = proofOf(connection, place)
  if (!(socket instanceof TLSSocket) || !proof) {
    const withoutTls: TlsFailure | undefined =
      terms.tls === 'none'
        ? undefined
        : { resultType: 'starttls-not-supported', text: `${place} does not offer STARTTLS`, reason: '' }
    return { ...session, ...limited, ...state, remote, ...(withoutTls && { withoutTls }) }
  }
  const verdict = terms.judge(proof)
  const tls = {
    protocol: socket.getProtocol() ?? '',
    // Says nothing once the socket is closed, whatever the types promise.
    cipher: socket.getCipher()?.standardName ?? '',
    isVerified: verdict.kind === 'accepted' && verdict.verifiedBy !== undefined,
  }
  dialogue.remote = { ...remote, tls }
  if (verdict.kind === 'refused') {
    connection.close()
    return noSession(dialogue, 'tls', verdict.failure.text, { failure: verdict.failure, proof })
  }
  return { ...session, ...limited, ...state, remote: dialogue.remote, proof }
}

function proofOf({ _socket: socket, chain }: ClientConnection, place: string): PeerProof | undefined {
  if (!(socket instanceof TLSSocket) || !chain) return undefined
  const failure = webPkiFailure(socket, place)
  return { chain, ...(failure && { webPkiFailure: failure }) }
}
