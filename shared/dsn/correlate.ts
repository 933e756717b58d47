import { type Address, parseAddress } from '../address/address.ts'
import type { DsnReport } from './parse.ts'

/** One way to find the sent message that a notification is about. */
export type CorrelationKey =
  | { readonly by: 'envelopeId'; readonly envelopeId: string }
  | {
      readonly by: 'messageId'
      /** With angle brackets. */
      readonly messageId: string
      /**
       * Tells the recipients of one Send apart, which share the id. What the sender wrote comes before where it
       * led to; empty if the notification names nobody.
       */
      readonly recipients: readonly Address[]
    }

/**
 * The keys to look for, the surest first (RFC 3461 §4.4 before RFC 5322 §3.6.4). Whether the notification came
 * to an address with a FromID is surer still, and is for the caller to see.
 */
export function correlationOf(report: DsnReport): readonly CorrelationKey[] {
  const { originalEnvelopeId: envelopeId, originalMessageId: messageId } = report
  return [
    ...(envelopeId === '' ? [] : [{ by: 'envelopeId' as const, envelopeId }]),
    ...(messageId === '' ? [] : [{ by: 'messageId' as const, messageId, recipients: recipientsOf(report) }]),
  ]
}

function recipientsOf({ recipients }: DsnReport): readonly Address[] {
  const texts = [
    ...recipients.map(({ originalRecipient }) => originalRecipient),
    ...recipients.map(({ finalRecipient }) => finalRecipient),
  ]
  return [...new Set(texts)].flatMap(readAddress)
}

function readAddress(text: string): readonly Address[] {
  try {
    return [parseAddress(text)]
  } catch {
    return []
  }
}
