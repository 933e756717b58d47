import { connect, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Relay } from '../../account/options.ts'
import type { Remote } from '../../queue/evidence.ts'
import { connectionReason, isTlsFault } from './connection-reason.ts'
import type { Dialogue } from './relay-dialogue.ts'
import { cleanText, replyLine } from './relay-reply.ts'

/** How long a delivery may take, in milliseconds. */
export interface RelayLimits {
  readonly connectMs: number
  /** Also for the TLS handshake. */
  readonly greetingMs: number
  /** Without a byte in either direction. */
  readonly inactivityMs: number
  /** The whole call. */
  readonly totalMs: number
}

/** Connected, greeted and, where asked for, encrypted. */
export interface RelaySession {
  readonly connection: SMTPConnection
  /** What the server offered in its last answer to EHLO. */
  readonly extensions: readonly string[]
  /** How many RCPT commands the server takes in a transaction (RFC 9422 §4.2); Infinity when it does not say. */
  readonly rcptMax: number
  /** How many MAIL commands it takes in the session (RFC 9422 §4.1); Infinity when it does not say. */
  readonly mailMax: number
}

/** No session, or the end of one: no reply of the server says what becomes of the message. */
export class RelayFailure extends Error {
  override readonly name = 'RelayFailure'
  readonly isHandshake: boolean
  /** The server has no TLS, or none with a certificate that we trust; another try would find the same. */
  readonly lacksTls: boolean
  /** What the server said that ended it, without its code; empty when it said nothing. */
  readonly reply: string

  constructor(doing: string, relay: Relay, cause: unknown, isHandshake = false) {
    super(`${doing} ${formatPlace(relay)}: ${reasonOf(cause)}`, { cause })
    const known: Partial<SMTPConnection.SMTPError> = cause instanceof Error ? cause : {}
    const { command, originalCode = '', response, responseCode = 0 } = known
    const hasRefusedTls = (command === 'STARTTLS' || command === 'EHLO') && responseCode >= 500
    this.isHandshake = isHandshake
    this.lacksTls = hasRefusedTls || (isHandshake && isTlsFault(originalCode))
    this.reply = response === undefined ? '' : replyLine(response)
  }
}

/** Host and port, as errors name them. */
export function formatPlace({ host, port }: Relay): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

const QUIT_MS = 1_000

/**
 * Opens a session as {@link Relay.tls} asks. Where encryption is opportunistic and the handshake fails, a second
 * connection goes without (RFC 7435). Throws {@link RelayFailure}; an abort of the signal ends all of it.
 */
export async function openSession(
  relay: Relay,
  hostname: string,
  limits: RelayLimits,
  signal: AbortSignal,
  dialogue: Dialogue,
): Promise<RelaySession> {
  try {
    return await open(relay, hostname, limits, signal, dialogue)
  } catch (error) {
    const mayGoWithout = relay.tls === 'opportunistic' && error instanceof RelayFailure && error.isHandshake
    if (!mayGoWithout || signal.aborted) throw error
    return await open({ ...relay, tls: 'none' }, hostname, limits, signal, dialogue)
  }
}

/** RFC 5321 §4.1.1.10: the server hears QUIT and has a moment to answer. */
export async function endSession({ connection }: RelaySession, signal: AbortSignal): Promise<void> {
  // A server may refuse before it has all data; QUIT would become part of them.
  const isIdle = connection._socket && connection._socket.writableLength === 0
  if (isIdle && !connection.destroyed && !signal.aborted) {
    await new Promise<void>((done) => {
      const timer = setTimeout(done, QUIT_MS)
      connection.once('end', () => {
        clearTimeout(timer)
        done()
      })
      connection.quit()
    })
  }
  connection.close()
}

async function open(
  relay: Relay,
  hostname: string,
  limits: RelayLimits,
  signal: AbortSignal,
  dialogue: Dialogue,
): Promise<RelaySession> {
  const socket = await connectSocket(relay, limits.connectMs, signal)
  const remote: Remote = { host: relay.host, ipAddress: socket.remoteAddress ?? '' }
  dialogue.remote = remote
  const options = { ...optionsOf(relay, hostname, limits), ...dialogue.loggerOptions }
  const connection = new SMTPConnection({ ...options, connection: socket })
  // Errors are also emitted when a callback has told them, and an unheard one would end the process.
  connection.on('error', () => {})
  try {
    await connected(connection, signal)
  } catch (error) {
    connection.close()
    throw failureOf(error, relay, connection.upgrading === true)
  }
  dialogue.remote = { ...remote, ...tlsOf(connection) }
  return sessionOf(connection)
}

/** The library looks names up on its own and keeps them; here the system's resolver decides. */
function connectSocket(relay: Relay, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: relay.host, port: relay.port })
    const fail = (cause: unknown) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new RelayFailure('connecting to', relay, cause))
    }
    const timer = setTimeout(() => fail(new Error('timed out')), timeoutMs)
    const abort = () => fail(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.on('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

function optionsOf(relay: Relay, hostname: string, limits: RelayLimits): SMTPConnection.Options {
  return {
    host: relay.host,
    port: relay.port,
    name: hostname,
    secure: relay.kind === 'submissions',
    ignoreTLS: relay.tls === 'none',
    opportunisticTLS: relay.tls === 'opportunistic',
    requireTLS: relay.tls === 'required' || relay.tls === 'unverified',
    tls: { rejectUnauthorized: relay.tls === 'required' },
    // The library lets this one cut the greeting and the handshake short.
    connectionTimeout: limits.totalMs,
    greetingTimeout: limits.greetingMs,
    socketTimeout: limits.inactivityMs,
    socketCloseTimeout: 0,
  }
}

function connected(connection: SMTPConnection, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    connection.once('error', reject)
    connection.connect((error) => (error ? reject(error) : resolve()))
  })
}

function failureOf(error: unknown, relay: Relay, isHandshake: boolean): RelayFailure {
  const { timeoutType, command } = error as SMTPConnection.SMTPError
  if (isHandshake) return new RelayFailure('TLS handshake with', relay, error, true)
  if (timeoutType === 'GREETING_TIMEOUT') return new RelayFailure('waiting for the greeting of', relay, error)
  if (command === 'STARTTLS') return new RelayFailure('STARTTLS with', relay, error)
  return new RelayFailure('opening a session with', relay, error)
}

function tlsOf({ _socket: socket }: SMTPConnection): Pick<Remote, 'tls'> {
  if (!(socket instanceof TLSSocket)) return {}
  // Both say nothing once the socket is closed, whatever the types promise of the second.
  const cipher = socket.getCipher()?.standardName ?? ''
  return { tls: { protocol: socket.getProtocol() ?? '', cipher, isVerified: socket.authorized } }
}

/** The library does not publish what it read from EHLO; its version is pinned and a test sees to this. */
function sessionOf(connection: SMTPConnection): RelaySession {
  const { _supportedExtensions: extensions, _ehloLines: lines = [] } = connection as unknown as {
    readonly _supportedExtensions: readonly string[]
    /** Unset after HELO. */
    readonly _ehloLines?: readonly string[]
  }
  const rcptMax = limitOf(lines, 'RCPTMAX')
  return { connection, extensions, rcptMax, mailMax: limitOf(lines, 'MAILMAX') }
}

/** RFC 9422 §3: `LIMITS MAILMAX=10 RCPTMAX=100`; what cannot be read limits nothing. */
function limitOf(ehloLines: readonly string[], name: 'RCPTMAX' | 'MAILMAX'): number {
  const words = ehloLines.filter((line) => /^LIMITS /i.test(line)).flatMap((line) => line.split(/\s+/))
  const values = words.map((word) => /^([A-Z]+)=([1-9]\d{0,5})$/i.exec(word))
  const value = values.find((found) => found?.[1]?.toUpperCase() === name)
  return value ? Number(value[2]) : Number.POSITIVE_INFINITY
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown fault'
  const { code = '', originalCode = '', response } = cause as SMTPConnection.SMTPError
  if (response !== undefined) return `the server answered ${cleanText(response.replace(/\r?\n/g, '; '))}`
  if (code === 'ECONNECTION') return 'connection closed'
  return connectionReason(originalCode) ?? connectionReason(code) ?? cleanText(cause.message)
}
