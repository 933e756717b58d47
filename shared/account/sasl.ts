import type { LoginResult } from './log-in.ts'

/** The mechanisms, the strongest first. */
export const SASL_MECHANISMS = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN'] as const

/** A way to log in (RFC 4422). */
export type SaslMechanism = (typeof SASL_MECHANISMS)[number]

/** Where a login stands: what the server says and what is to be done with the answer, or the end. */
export type SaslStep =
  | {
      readonly kind: 'challenge'
      readonly text: string
      answer(response: Uint8Array): SaslStep | Promise<SaslStep>
    }
  | SaslEnd

/**
 * How a login ends. `malformed` says nothing about who it is: the client does not speak the mechanism. `unbound`
 * means that its channel is not ours: somebody may sit between. The reasons are public texts.
 */
export type SaslEnd = LoginResult | { readonly kind: 'malformed' | 'unbound'; readonly reason: string }

/** What a login can be bound to in its channel (RFC 5056), by the name of the kind; nothing without TLS. */
export type ChannelBindings = Readonly<Record<string, Uint8Array>>

/** Of RFC 9266: for TLS 1.3. */
export const TLS_EXPORTER = 'tls-exporter'
/** Of RFC 5929 §4: the hash of the server's certificate. */
export const TLS_SERVER_END_POINT = 'tls-server-end-point'

/** Answers whoever asks to act as another user. */
export const NOT_ITSELF: SaslEnd = { kind: 'refused', reason: 'nobody may act as somebody else' }

/** An authorization identity (RFC 4422 §3.4.1) may be left out, or say again who it is. */
export function isItself(authorizationId: string, userName: string): boolean {
  return authorizationId === '' || authorizationId.normalize('NFC') === userName.normalize('NFC')
}

/** What a client says to a challenge; or why it says no more, in public words. */
export type SaslAnswer = { readonly response: Uint8Array } | { readonly problem: string }

/** The client's side of a login (RFC 4422 §3). */
export interface SaslClient {
  /** What it says unasked; left out: nothing. */
  readonly initial?: Uint8Array
  answer(challenge: Uint8Array): SaslAnswer | Promise<SaslAnswer>
  /** What a success lacks before it may be believed, in public words; undefined: nothing. */
  missing(): string | undefined
}
