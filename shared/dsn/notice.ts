import type { Address } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'

/** What to tell the sender of a message about one of its recipients. */
export interface DsnNotice {
  /** `relayed`: handed on to a server that does not tell more (RFC 3464 §2.3.3). */
  readonly action: 'failed' | 'delayed' | 'relayed'
  /** Our name; the notice comes from its postmaster. */
  readonly hostname: string
  /** Of the notice, with angle brackets. */
  readonly messageId: string
  readonly at: Instant
  /** The reverse-path of the message. */
  readonly to: Address
  readonly recipient: Address
  readonly original: OriginalMessage
  readonly outcome: DsnOutcome
  readonly lastAttemptAt: Instant
  /** When a delayed message is given up. */
  readonly willRetryUntil?: Instant
  /** When a delayed message is tried again, as far as it is known. */
  readonly nextAttempts?: readonly Instant[]
  /** The message needs SMTPUTF8, so its sender can read UTF-8 anywhere (RFC 6533). */
  readonly smtputf8: boolean
}

/** The message that the notice is about. */
interface OriginalMessage {
  /** With angle brackets; anything else is not repeated. */
  readonly messageId: string
  /** Its header section as it was accepted; what follows an empty line is not repeated. */
  readonly headerSection: Uint8Array
  /** Where the sender wants it back whole (RFC 3461 §4.3, `RET=FULL`). */
  readonly wholeMessage?: Uint8Array
  readonly arrivedAt: Instant
  /** ENVID (RFC 3461 §4.4), decoded; empty if there was none. */
  readonly envelopeId?: string
  /** ORCPT (RFC 3461 §4.2), decoded: `rfc822;user@domain`; empty if there was none. */
  readonly originalRecipient?: string
  /** `for;seconds` or `until;time` (RFC 4865). */
  readonly futureReleaseRequest?: string
}

/** How the last attempt ended. */
export interface DsnOutcome {
  /** Of the SMTP reply; 0 if no server answered. */
  readonly code: number
  /** RFC 3463, such as `5.1.1`; empty if none was given. */
  readonly enhancedCode: string
  /** The text of the reply, line by line, without codes; or what else went wrong. */
  readonly error: string
  /** The host that answered, or that was tried. */
  readonly remoteHost?: string
}
