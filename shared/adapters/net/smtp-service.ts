import type { SecureContext, TLSSocket } from 'node:tls'
import type { Login } from '../../account/log-in.ts'
import type { ReceptionHooks } from '../../reception/reception-hooks.ts'
import type { Refusal } from '../../smtp/refusal.ts'
import type { SmtpClient } from '../../smtp/smtp-client.ts'
import type { SubmissionHooks } from '../../submission/submission-hooks.ts'

/** What a port is for: mail from other servers, or from mail programs whose users log in. */
export type SmtpService = ReceptionService | SubmissionService

/** Takes mail from other servers (RFC 5321); nobody logs in. */
interface ReceptionService {
  readonly kind: 'smtp'
  readonly hooks: ReceptionHooks
}

/** Takes mail from mail programs (RFC 6409). */
interface SubmissionService {
  /** With STARTTLS, or with TLS from the first octet (RFC 8314 §3.3). */
  readonly kind: 'submission' | 'submissions'
  readonly hooks: SubmissionHooks
  readonly authentication: AuthenticationHooks
}

/** Where a listener's certificate comes from. Without it there is no STARTTLS. */
export interface ListenerTls {
  /** Asked before every handshake, so that a new certificate needs no restart. */
  secureContext(): SecureContext
}

/** How clients log in (RFC 4954). */
export interface AuthenticationHooks {
  /** What EHLO offers this client now, in that order; nothing when it must begin TLS first. */
  mechanisms(client: AuthenticatingClient): readonly string[]
  /**
   * One exchange, to its end; the listener has seen to it that AUTH may come now. A refusal with 421 ends the
   * connection, any other lets the client try again. What it throws is a fault of ours and answered with 454 4.7.0.
   */
  authenticate(exchange: AuthenticationExchange, clientGone: AbortSignal): Promise<Login | Refusal>
}

/** Who wants to log in. */
export interface AuthenticatingClient {
  readonly client: SmtpClient
  /** For channel bindings; without it the session is not encrypted. */
  readonly tlsSocket?: TLSSocket
  /** How often it was refused on this connection. */
  readonly failures: number
}

/** One AUTH command (RFC 4954 §4). */
export interface AuthenticationExchange extends AuthenticatingClient {
  /** In upper case; it may be one that was not offered. */
  readonly mechanism: string
  /** As it was sent: base64, or `=` for an empty one. */
  readonly initialResponse?: string
  /** Sends `334 text`; resolves to the client's line as it was sent, `*` included, or undefined when it has gone. */
  challenge(text: string): Promise<string | undefined>
}
