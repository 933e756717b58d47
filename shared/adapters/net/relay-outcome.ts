import type { Relay } from '../../account/options.ts'
import type { DeliveryOutcome, DeliveryRequest } from '../../queue/transport.ts'
import type { RelayFailure } from './relay-session.ts'

/** A transaction with a relay. */
export type RelayRequest = DeliveryRequest<Relay>

/** We found out ourselves that the relay cannot take this. */
export function permanent(enhancedCode: string, error: string): DeliveryOutcome {
  return { kind: 'permanent', code: 0, enhancedCode, error, reply: '' }
}

/** The session came to nothing, and says nothing of the recipient. */
export function temporary({ message, reply }: Pick<RelayFailure, 'message' | 'reply'>): DeliveryOutcome {
  return { kind: 'temporary', code: 0, enhancedCode: '', error: message, reply }
}
