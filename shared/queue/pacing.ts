import type { TransportSettings } from '../account/options.ts'
import type { Instant } from '../base/clock.ts'
import type { QueuedMessage } from './queued-message.ts'
import type { DeliveryOutcome } from './transport.ts'

/** Whether messages may go now. */
export type Admission =
  /** They may; whoever was admitted tells how it ended, also when it was nothing (no outcomes). */
  | { readonly kind: 'go'; ended(outcomes: readonly DeliveryOutcome[]): void }
  | { readonly kind: 'later'; readonly at: Instant }

/**
 * Port: spares what is behind a transport: the rate that SES grants, the servers of a domain. It is asked before
 * messages are claimed, so that waiting for a turn is no attempt.
 */
export interface Pacing {
  /** Messages that would share a transaction. May take a moment, when a turn is that near. */
  admit(transport: TransportSettings, messages: readonly QueuedMessage[]): Promise<Admission>
}
