import type { DirectDelivery, SocksDelivery } from '../account/options.ts'
import type { PolicyAnswer } from '../mta-sts/get-policy.ts'
import type { DeliveryRequest, SmtpOutcome } from '../queue/transport.ts'
import type { DirectPorts } from './direct-ports.ts'
import type { TlsNotes } from './tls-notes.ts'

/** Delivery to the servers of a domain. */
export type DirectRequest = DeliveryRequest<DirectDelivery | SocksDelivery>

/** One attempt to deliver a message to recipients of one domain. */
export interface DirectAttempt {
  readonly ports: DirectPorts
  readonly request: DirectRequest
  /** Of all its recipients; perhaps an address literal. */
  readonly domain: string
  /** Aborted when its time is over. */
  readonly signal: AbortSignal
  readonly notes: TlsNotes
}

/** An attempt that knows the MTA-STS policy of its domain; an address literal has none. */
export interface InformedAttempt extends DirectAttempt {
  readonly policy?: PolicyAnswer
}

/** Nothing was sent; the same for each recipient. */
export interface Failure {
  readonly kind: 'failure'
  readonly outcome: SmtpOutcome & { readonly kind: 'temporary' | 'permanent' }
}

/** Nobody was asked, or nobody answered: later it may be otherwise. */
export function temporary(error: string): Failure {
  return { kind: 'failure', outcome: { kind: 'temporary', code: 0, enhancedCode: '', error, reply: '' } }
}

/** It is so for good, as far as we can find out; a `code` other than 0 says it as a server would. */
export function permanent(code: number, enhancedCode: string, error: string): Failure {
  return { kind: 'failure', outcome: { kind: 'permanent', code, enhancedCode, error, reply: '' } }
}
