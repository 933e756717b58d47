import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { getCACertificates, type TLSSocket, connect as tlsConnect } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { cleanText } from './client-reply.ts'
import { connectFirst } from './connect-first.ts'
import { connectionReason } from './connection-reason.ts'
import { readPeerChain } from './peer-chain.ts'

/** Whom to call. */
export interface TlsTarget {
  /** IP addresses, of which the first that answers is called. */
  readonly addresses: readonly string[]
  readonly port: number
  /** What SNI asks for. */
  readonly serverName: string
  /** For the whole call. */
  readonly timeoutMs: number
}

/** Who answered a call, and what it proved itself with; whether that is worth anything is for others to say. */
export interface TlsPeer {
  readonly kind: 'secured'
  readonly address: string
  /** Such as `TLSv1.3`. */
  readonly protocol: string
  /** Certificates (DER) as they were sent, the server's own first. */
  readonly chain: readonly Uint8Array[]
}

/** There was no TLS session. */
export interface TlsFailure {
  readonly kind: 'failed'
  readonly error: string
}

const QUIT_MS = 1_000

// Certificates are checked by who calls this.
const tlsOptions = { rejectUnauthorized: false, minVersion: 'TLSv1.2' } as const

/** Calls a server that speaks TLS from the first octet, and hangs up again. */
export async function dialTls(target: TlsTarget): Promise<TlsPeer | TlsFailure> {
  return await dial(target, async (socket, signal) => {
    const secured = tlsConnect({ ...tlsOptions, socket, servername: target.serverName })
    await once(secured, 'secureConnect', { signal })
    secured.on('error', () => {})
    return proofOf(secured)
  })
}

/**
 * Calls an SMTP server, demands STARTTLS (also where it is not offered, RFC 7672 §2.2), and takes leave. `hostname` is
 * what EHLO says.
 */
export async function dialStartTls(target: TlsTarget, hostname: string): Promise<TlsPeer | TlsFailure> {
  return await dial(target, async (socket, signal) => {
    const options = { host: target.serverName, name: hostname, requireTLS: true }
    const connection = await openSmtp({ ...options, connection: socket }, signal)
    const proof = proofOf(connection._socket as TLSSocket)
    await quit(connection)
    return proof
  })
}

/** Begins an SMTP session on a connection; its certificates are for the caller to check. Throws the library's errors. */
export async function openSmtp(
  options: SMTPConnection.Options,
  signal: AbortSignal,
): Promise<SMTPConnection> {
  const connection = new SMTPConnection({ ...options, tls: tlsOptions })
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    connection.on('error', reject)
    connection.connect((error) => (error ? reject(error) : resolve()))
  })
  return connection
}

/** Takes leave; the server has a moment to answer (RFC 5321 §4.1.1.10). */
export async function quit(connection: SMTPConnection): Promise<void> {
  connection.quit()
  await once(connection, 'end', { signal: AbortSignal.timeout(QUIT_MS) }).catch(() => {})
}

/** The certificates (DER) of the authorities that this Node trusts. */
export function trustedRoots(): readonly Uint8Array[] {
  return getCACertificates().map((pem) => new Uint8Array(new X509Certificate(pem).raw))
}

/** What a session shows of the server. */
type Proof = Pick<TlsPeer, 'protocol' | 'chain'>

/** Begins TLS on a connection. */
type Secure = (socket: Socket, signal: AbortSignal) => Promise<Proof>

/** What a TLS session shows of the server; to be called once. */
export function proofOf(socket: TLSSocket): Proof {
  return { protocol: socket.getProtocol() ?? '', chain: readPeerChain(socket) }
}

async function dial(target: TlsTarget, secure: Secure): Promise<TlsPeer | TlsFailure> {
  const signal = AbortSignal.timeout(target.timeoutMs)
  const answered = await connectOrWhyNot(target)
  if ('error' in answered) return { kind: 'failed', error: answered.error }
  const { socket, address } = answered
  try {
    return { kind: 'secured', address, ...(await secure(socket, signal)) }
  } catch (error) {
    return { kind: 'failed', error: `${address}: ${reasonOf(error)}` }
  } finally {
    socket.destroySoon()
  }
}

type Answered = { readonly socket: Socket; readonly address: string } | { readonly error: string }

/** Connects to the first address that answers, or says what each of them did. */
export async function connectOrWhyNot({
  addresses,
  port,
  timeoutMs,
}: Omit<TlsTarget, 'serverName'>): Promise<Answered> {
  const answered = await connectFirst({ ipAddresses: addresses, port, timeoutMs })
  if (answered.kind === 'connected') return { socket: answered.socket, address: answered.ipAddress }
  return {
    error: answered.causes.map(({ ipAddress, cause }) => `${ipAddress}: ${reasonOf(cause)}`).join('; '),
  }
}

/** Why there is no session, in public words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'timed out'
  const { code = '', originalCode = '', response } = error as SMTPConnection.SMTPError
  if (response !== undefined) return `the server answered ${cleanText(response.replace(/\r?\n/g, '; '))}`
  return connectionReason(originalCode) ?? connectionReason(code) ?? cleanText(error.message)
}
