import type { TransportSettings } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import type { Evidence } from './evidence.ts'
import type { QueuedMessage } from './queued-message.ts'

/** One mail transaction (RFC 5321 §3.3): a message for recipients that share its next hop. */
export interface DeliveryRequest<Settings extends TransportSettings = TransportSettings> {
  readonly transport: Settings
  /** The name we give in EHLO. */
  readonly hostname: string
  readonly mailFrom?: Address
  /** One for each recipient, all with the same content. */
  readonly messages: readonly RequestedMessage[]
  readonly content: Uint8Array
  readonly has8bit: boolean
  readonly smtputf8: boolean
  /**
   * RFC 8689. True: TLS with a verified certificate, whatever the transport says, and a server that promises to
   * ask the same of the next (REQUIRETLS). False (`TLS-Required: No`): TLS is not worth a failure. Undefined: no wish.
   */
  readonly requireTls?: boolean
}

/** A message as its claim left it: `attempts` counts the one that is being made, and `results` ends with it. */
export type RequestedMessage = Pick<
  QueuedMessage,
  'account' | 'id' | 'recipient' | 'attempts' | 'results' | 'dsn' | 'fromId'
>

/** Nobody was asked: the recipient is on the account's suppression list. */
export interface Suppressed {
  readonly kind: 'suppressed'
  readonly code: 0
  readonly enhancedCode: ''
  readonly error: string
}

/** What the next hop did with one recipient. It is a value: whatever a remote does, it is no fault of ours. */
export type DeliveryOutcome = SmtpOutcome | (Evidence & ServiceOutcome)

/** How a transaction (RFC 5321 §3.3) ended for one recipient. */
export type SmtpOutcome = Evidence &
  (
    | {
        readonly kind: 'accepted'
        readonly code: number
        readonly enhancedCode: string
        /** The next hop took over what the sender asked of notices (RFC 3461 §5.2.1): `relayed` is not ours to give. */
        readonly givesNotices?: boolean
      }
    | {
        readonly kind: 'temporary' | 'permanent'
        /** The reply code; 0 when the remote gave none (no connection, time-out). */
        readonly code: number
        readonly enhancedCode: string
        readonly error: string
        /** Nobody refused it but us, as its sender or an operator wants: that says nothing of the recipient. */
        readonly isOurs?: true
      }
  )

/** What a service says that delivers for us, and tells later how it ended. */
type ServiceOutcome =
  | { readonly kind: 'handed'; readonly code: number; readonly enhancedCode: string; readonly error: '' }
  /** Not now: it has no time for it before `until`, or we none. That is no attempt. */
  | {
      readonly kind: 'postponed'
      readonly code: number
      readonly enhancedCode: string
      readonly error: string
      readonly until: Instant
    }
  /** Nobody knows whether it has it; it may tell, or the claim ends and the message goes once more. */
  | { readonly kind: 'unknown'; readonly code: 0; readonly enhancedCode: ''; readonly error: string }

/** Port: hands a message to the next hop. */
export interface Transport<Settings extends TransportSettings = TransportSettings> {
  /** One outcome for each message, in their order. Ends within the time that a lease allows. */
  deliver(request: DeliveryRequest<Settings>): Promise<readonly DeliveryOutcome[]>
}

/** The same request, known to be for that kind of transport. */
export function requestFor<Settings extends TransportSettings>(
  request: DeliveryRequest,
  transport: Settings,
): DeliveryRequest<Settings> {
  return { ...request, transport }
}
