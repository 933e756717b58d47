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
}

/** Nobody was asked: the recipient is on the account's suppression list. */
export interface Suppressed {
  readonly kind: 'suppressed'
  readonly code: 0
  readonly enhancedCode: ''
  readonly error: string
}

/** What the next hop did with one recipient. It is a value: whatever a remote does, it is no fault of ours. */
export type DeliveryOutcome =
  | { readonly kind: 'accepted'; readonly code: number; readonly enhancedCode: string }
  | {
      readonly kind: 'temporary' | 'permanent'
      /** The reply code; 0 when the remote gave none (no connection, time-out). */
      readonly code: number
      readonly enhancedCode: string
      readonly error: string
    }

/** Port: hands a message to the next hop. */
export interface Transport {
  /** One outcome for each recipient, in their order. Ends within the time that a lease allows. */
  deliver(request: DeliveryRequest): Promise<readonly DeliveryOutcome[]>
}
