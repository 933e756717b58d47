import type { Address } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import { rowIdAt } from '../base/row-id.ts'
import { newSuppression } from './new-suppression.ts'
import type { Standing, Suppression } from './suppression.ts'

/** A final failure that a remote caused, in a transaction or by a notification. */
export interface FinalFailure {
  readonly account: string
  readonly recipient: Address
  /** The reply code; without one nothing is known of the address. */
  readonly code: number
  /** RFC 3463; empty if there was none. */
  readonly enhancedCode: string
  readonly source: 'queue' | 'DSN' | 'SES'
  readonly at: Instant
  /** Makes the entry's id unlike that of others of the same millisecond. */
  readonly salt: number
}

/** Replies that say that the address or its domain takes no mail (RFC 5321 §4.2, RFC 7504). */
const NO_SUCH_MAILBOX = new Set([521, 550, 551, 553, 556])
/** RFC 3463 §3.2, §3.3, §3.8: bad or moved mailbox or system, mailbox disabled, delivery not authorized. */
const NO_SUCH_RECIPIENT = new Set(['1.1', '1.2', '1.3', '1.6', '2.1', '7.1'])
const IN_A_ROW = 3

/** The entry that a failure causes: at once where the remote says that there is no such recipient, else at the third in a row. */
export function suppressionFor(failure: FinalFailure, standing: Standing): Suppression | undefined {
  const { account, recipient, code, enhancedCode, source, at, salt } = failure
  if (standing.suppression || code === 0) return undefined
  const reply = [`code ${code}`, ...(enhancedCode === '' ? [] : [enhancedCode])].join(', ')
  const reason = saysNoSuchRecipient(code, enhancedCode)
    ? `delivery failure from ${source}: ${reply}`
    : standing.failuresInARow >= IN_A_ROW - 1
      ? `delivery failure from ${source}: ${reply}, the third message in a row that failed`
      : undefined
  if (reason === undefined) return undefined
  return newSuppression(recipient, { id: rowIdAt(at, salt), account, createdAt: at, manual: false, reason })
}

function saysNoSuchRecipient(code: number, enhancedCode: string): boolean {
  if (NO_SUCH_MAILBOX.has(code)) return true
  return code >= 500 && code < 600 && NO_SUCH_RECIPIENT.has(enhancedCode.replace(/^\d\./, ''))
}
