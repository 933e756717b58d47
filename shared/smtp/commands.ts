import type { Address } from '../address/address.ts'
import type { FutureRelease } from './future-release.ts'

/** MAIL FROM with its parameters (RFC 5321 §4.1.1.2). */
export interface MailCommand {
  /** Left out: the null reverse-path. */
  readonly address?: Address
  /** RFC 1870, in octets. */
  readonly size?: number
  /** RFC 6152, RFC 3030. */
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME'
  /** RFC 6531. */
  readonly smtputf8: boolean
  /** RFC 8689. */
  readonly requireTls: boolean
  /** RFC 4865; submission only. */
  readonly futureRelease?: FutureRelease
  /** RFC 3461 §4.3: what notifications return of the message. */
  readonly return?: 'FULL' | 'HDRS'
  /** RFC 3461 §4.4, decoded from xtext. */
  readonly envelopeId?: string
}

/** RCPT TO with its parameters (RFC 5321 §4.1.1.3). */
export interface RcptCommand {
  readonly address: Address
  /** RFC 3461 §4.1; an empty list is NEVER. Left out: as the server likes, which is failures and delays. */
  readonly notify?: readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[]
  /** RFC 3461 §4.2, decoded from xtext: `rfc822;address`. */
  readonly originalRecipient?: string
}
