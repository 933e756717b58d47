import type { AddressDirectory } from '../account/address-directory.ts'
import type { AccountName } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import type { Refusal } from '../smtp/refusal.ts'
import { type AcceptedRecipient, acceptRecipient } from './accept-recipient.ts'
import { type ReceivedMessage, type ReceivePorts, receive } from './receive.ts'
import { checkSenderDomain } from './sender-domain.ts'
import { type FailureStage, mustGoApart, simulate } from './simulated-failure.ts'

/** A transaction that has begun, with the recipients accepted so far. */
export interface OpenTransaction {
  readonly mailFrom?: Address
  readonly recipients: readonly AcceptedRecipient[]
}

/**
 * What an SMTP listener asks at each step of a mail transaction (RFC 5321 §3.3). What a hook throws is a fault of
 * ours, and the peer is told to come again. The signal is aborted when the peer has gone.
 */
export interface ReceptionHooks {
  /** MAIL FROM; undefined is the null reverse-path. Resolves to undefined when the transaction may go on. */
  mailFrom(address: Address | undefined, peerGone: AbortSignal): Promise<Refusal | undefined>
  /** RCPT TO. */
  rcptTo(
    transaction: OpenTransaction,
    recipient: Address,
    peerGone: AbortSignal,
  ): Promise<AcceptedRecipient | Refusal>
  /** The end of the data; resolves to undefined when we have taken responsibility for the message. */
  message(message: ReceivedMessage, peerGone: AbortSignal): Promise<Refusal | undefined>
}

export interface ReceptionPorts extends ReceivePorts {
  readonly directory: AddressDirectory
}

export interface ReceptionSettings {
  /** Takes what nobody has; see {@link acceptRecipient}. */
  readonly catchallAccount?: AccountName
  /** Special addresses fail; see {@link simulatedFailure}. */
  readonly simulateFailures: boolean
}

/** RFC 5321 §4.5.3.1.10: the client sends the recipient in a further transaction. */
const TOO_MANY: Refusal = {
  code: 452,
  enhancedCode: '4.5.3',
  text: 'too many recipients for one transaction',
}

/** Receives mail for the accounts. */
export function receptionHooks(ports: ReceptionPorts, settings: ReceptionSettings): ReceptionHooks {
  const simulated = async (stage: FailureStage, addresses: readonly Address[], peerGone: AbortSignal) =>
    settings.simulateFailures ? await simulate(ports, stage, addresses, peerGone) : undefined
  return {
    async mailFrom(address, peerGone) {
      if (!address) return undefined
      const refusal = await simulated('mail', [address], peerGone)
      if (refusal || !ports.senderChecks) return refusal
      return await checkSenderDomain(ports.senderChecks.resolver, address)
    },
    async rcptTo({ mailFrom, recipients }, recipient, peerGone) {
      const refusal = await simulated('rcpt', [recipient], peerGone)
      if (refusal) return refusal
      const accepted = recipients.map(({ address }) => address.localpart)
      if (settings.simulateFailures && mustGoApart(accepted, recipient.localpart)) return TOO_MANY
      const found = { options: await ports.options.read(), directory: ports.directory }
      return await acceptRecipient(found, settings.catchallAccount, mailFrom, recipient)
    },
    async message(message, peerGone) {
      const recipients = message.recipients.map(({ address }) => address)
      const refusal = await simulated('data', recipients, peerGone)
      return refusal ?? (await receive(ports, message))
    },
  }
}
