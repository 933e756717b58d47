import type { Instant } from '../base/clock.ts'
import { FURTHEST_RELEASE_MS } from './future-release.ts'

/** What a session has to offer now. */
export interface Offer {
  readonly isSubmission: boolean
  readonly tls: 'none' | 'possible' | 'active'
  /** The SASL mechanisms; empty while AUTH must not come. */
  readonly mechanisms: readonly string[]
  readonly maxSize: number
  readonly mostRecipients: number
  readonly now: Instant
}

/**
 * The lines of EHLO's reply behind the first (RFC 5321 §4.1.1.1). CHUNKING comes without BINARYMIME: the next step
 * of a message is text. DSN (RFC 3461) is the submitter's: mail that comes in has arrived, and a failure is told by
 * our reply. FUTURERELEASE gives the longest time in seconds and its end (RFC 4865 §3).
 */
export function extensionLines(offer: Offer): readonly string[] {
  const { isSubmission, mechanisms } = offer
  const furthest = new Date(offer.now + FURTHEST_RELEASE_MS).toISOString().replace(/\.\d+/, '')
  return [
    'PIPELINING',
    `SIZE ${offer.maxSize}`,
    ...(offer.tls === 'possible' ? ['STARTTLS'] : []),
    ...(offer.tls === 'active' ? ['REQUIRETLS'] : []),
    ...(mechanisms.length > 0 ? [`AUTH ${mechanisms.join(' ')}`] : []),
    ...(isSubmission ? [`FUTURERELEASE ${FURTHEST_RELEASE_MS / 1000} ${furthest}`, 'DSN'] : []),
    'ENHANCEDSTATUSCODES',
    '8BITMIME',
    'CHUNKING',
    'SMTPUTF8',
    `LIMITS RCPTMAX=${offer.mostRecipients}`,
  ]
}
