import type { SocksDelivery } from '../account/options.ts'
import type { Evidence, Remote, RemoteTls } from '../queue/evidence.ts'
import type { DeliveryRequest, SmtpOutcome } from '../queue/transport.ts'
import type { TlsFailure } from '../transport-security/tls-failure.ts'

/** Which host to have an SMTP session with, and what is demanded of it. */
export interface SessionRequest {
  /** The MX host, as evidence and errors name it. */
  readonly host: string
  /** Tried in this order; the first that answers is it. */
  readonly ipAddresses: readonly string[]
  readonly port: number
  /** What EHLO says. */
  readonly hello: string
  /** `required` sends STARTTLS also where it is not offered; `opportunistic` goes without it then, `none` always. */
  readonly tls: 'none' | 'opportunistic' | 'required'
  /** What SNI asks for (RFC 7672 §8.1); the host's name where no DANE says otherwise. */
  readonly serverName: string
  /**
   * Looks at a server once, after its handshake and before MAIL. A failure ends the session. Certificates are judged
   * by nobody else.
   */
  readonly judge: (proof: PeerProof) => PeerVerdict
  /** The way there, where it is not the straight one. */
  readonly proxy?: SocksDelivery
  /** Ends all of it, the transactions too. */
  readonly signal: AbortSignal
}

/** What a server showed of itself. */
export interface PeerProof {
  /** Certificates (DER) in the order in which they were sent, its own first. */
  readonly chain: readonly Uint8Array[]
  /** Why its certificate is not one of a trusted authority for {@link SessionRequest.host}; left out: it is. */
  readonly webPkiFailure?: TlsFailure
}

/** What a server's proof is worth. */
export type PeerVerdict =
  /** `verifiedBy` is left out where nothing was asked of it. */
  | { readonly kind: 'accepted'; readonly verifiedBy?: RemoteTls['verifiedBy'] }
  | { readonly kind: 'refused'; readonly failure: TlsFailure }

/** A session that transactions can be had in, one after the other. */
export interface OpenSession {
  readonly kind: 'open'
  readonly remote: Remote
  /** The keywords of its last reply to EHLO, in upper case, each with its parameters. */
  readonly extensions: ReadonlyMap<string, string>
  /** Left out where the session is not encrypted; why not is {@link withoutTls}. */
  readonly proof?: PeerProof
  /** STARTTLS was not offered, and not demanded. */
  readonly withoutTls?: TlsFailure
  /** One outcome for each message, in their order, with its evidence; as many transactions as the server wants. */
  send(request: DeliveryRequest): Promise<readonly SmtpOutcome[]>
  /**
   * Whether the server accepted MAIL in the latest send. Where it did not, the message may go another way without any
   * risk that it arrives twice.
   */
  hasTakenMail(): boolean
  /** Whether another message may follow: nothing is left open, and the server said nothing to the contrary. */
  isReusable(): boolean
  /** QUIT, or less where that makes no sense any more. */
  end(): Promise<void>
}

/** There is no session. */
export interface NoSession extends Evidence {
  readonly kind: 'failed'
  /**
   * `connection`: no address answered. `greeting`: it did, and refused or fell silent, before STARTTLS or after it.
   * `tls`: STARTTLS was refused, the handshake failed, or {@link SessionRequest.judge} refused.
   */
  readonly stage: 'connection' | 'greeting' | 'tls'
  /** In public words. */
  readonly error: string
  /** Of the reply that ended it; 0 where there was none. */
  readonly code: number
  readonly enhancedCode: string
  /** Where the stage is `tls`. */
  readonly failure?: TlsFailure
  /** What the server had shown, where it came so far. */
  readonly proof?: PeerProof
}

/** Port: has SMTP sessions (RFC 5321 §3.1) with hosts. Whatever a server does is a value. */
export interface SessionDialer {
  open(request: SessionRequest): Promise<OpenSession | NoSession>
}
