import * as z from 'zod/mini'
import { MINIMUM_PASSWORD_LENGTH } from '../account/password.ts'
import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'
import { isReason, REASON_RULE } from '../suppression/new-suppression.ts'
import { RequestError } from './request.ts'

/** Long enough for any passphrase; what is hashed should not be megabytes. */
const MAXIMUM_PASSWORD_LENGTH = 256

/** A text that can stand in a header field, a log line and a terminal. */
export function plainText(most: number) {
  return z
    .string()
    .check(
      z.refine(
        (text) => text.length <= most && !hasControls(text),
        `must be at most ${most} characters without control characters`,
      ),
    )
}

/** Why an address is suppressed. */
export const reasonField = z.string().check(z.refine(isReason, `must be ${REASON_RULE}`))

/** A new password (RFC 8265 §4.2 allows no control characters); it is never answered or logged. */
export const passwordField = z
  .string()
  .check(
    z.refine(
      (text) =>
        text.length >= MINIMUM_PASSWORD_LENGTH &&
        text.length <= MAXIMUM_PASSWORD_LENGTH &&
        !hasControls(text),
      `must be ${MINIMUM_PASSWORD_LENGTH} to ${MAXIMUM_PASSWORD_LENGTH} characters without control characters`,
    ),
  )

/** Reads a domain name, with A-labels or U-labels; throws {@link RequestError}. */
export function readDomain(field: string, text: string): DomainName {
  try {
    return parseDomainName(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) throw new RequestError(field, error.message)
    throw error
  }
}

/** Says whether a text has C0 or C1 controls, line ends of Unicode, or a lone surrogate. */
function hasControls(text: string): boolean {
  return /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(text) || !text.isWellFormed()
}
