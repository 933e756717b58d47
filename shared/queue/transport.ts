import type { Relay } from '../account/options.ts'
import type { Address } from '../address/address.ts'

/** One mail transaction (RFC 5321 §3.3): a message for recipients that share its next hop. */
export interface DeliveryRequest {
  readonly relay: Relay
  /** The name we give in EHLO. */
  readonly hostname: string
  readonly mailFrom?: Address
  readonly recipients: readonly Address[]
  readonly content: Uint8Array
  readonly has8bit: boolean
  readonly smtputf8: boolean
  /**
   * RFC 8689. True: TLS with a verified certificate, whatever {@link Relay.tls} says, and a server that promises to
   * ask the same of the next (REQUIRETLS). False (`TLS-Required: No`): TLS is not worth a failure, so `required`
   * becomes `opportunistic`. Undefined: no wish.
   */
  readonly requireTls?: boolean
}

/** Nobody was asked: the recipient is on the account's suppression list. */
export interface Suppressed {
  readonly kind: 'suppressed'
  readonly code: 0
  readonly enhancedCode: ''
  readonly error: string
}

/** The server that an attempt spoke with. */
export interface Remote {
  /** As the relay is configured. */
  readonly host: string
  readonly ipAddress: string
  /** Left out where the session was not encrypted. `protocol` is such as `TLSv1.3`, `cipher` has its IANA name. */
  readonly tls?: { readonly protocol: string; readonly cipher: string; readonly isVerified: boolean }
}

/** What an attempt leaves for whoever wants to know how its result came about. */
export interface Evidence {
  /** Undefined when no connection was made. */
  readonly remote?: Remote
  /** The reply that decided, without its code, as one line of at most 1000 characters; empty if there was none. */
  readonly reply: string
  /**
   * Of an attempt that did not succeed: what was said, a line each, such as `17 S: 250 2.1.0 ok` (milliseconds since
   * the attempt began, client or server), without content and credentials; at most 4096 characters with line ends,
   * and `…` where lines were left out. Other recipients of the transaction appear in it.
   */
  readonly transcript?: readonly string[]
}

/** What the next hop did with one recipient. It is a value: whatever a remote does, it is no fault of ours. */
export type DeliveryOutcome = Evidence &
  (
    | { readonly kind: 'accepted'; readonly code: number; readonly enhancedCode: string }
    | {
        readonly kind: 'temporary' | 'permanent'
        /** The reply code; 0 when the remote gave none (no connection, time-out). */
        readonly code: number
        readonly enhancedCode: string
        readonly error: string
      }
  )

/** Port: hands a message to the next hop. */
export interface Transport {
  /** One outcome for each recipient, in their order. Ends within the time that a lease allows. */
  deliver(request: DeliveryRequest): Promise<readonly DeliveryOutcome[]>
}
