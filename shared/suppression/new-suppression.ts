import { type Address, formatUnicodeAddress } from '../address/address.ts'
import { baseAddress } from './base-address.ts'
import type { Suppression } from './suppression.ts'

const LONGEST_REASON = 1000

/** What a reason must be, for error messages. */
export const REASON_RULE = `at most ${LONGEST_REASON} characters, without control characters`

/** Whether a text keeps {@link REASON_RULE}: it stands in events, lists and terminals. */
export function isReason(text: string): boolean {
  return (
    text.length <= LONGEST_REASON && !/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(text) && text.isWellFormed()
  )
}

/** The entry for an address: its spelling is kept, and the base address stands for all others. */
export function newSuppression(
  address: Address,
  more: Omit<Suppression, 'baseAddress' | 'originalAddress'>,
): Suppression {
  return { ...more, baseAddress: baseAddress(address), originalAddress: formatUnicodeAddress(address) }
}
