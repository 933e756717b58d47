import { asBuffer } from '../message/header-section.ts'
import type { DsnNotice } from './notice.ts'

/** A notice shall not fill the mailbox that it is for. */
const LARGEST_RETURNED = 1 << 20

/**
 * The message where the notice returns it whole, which RFC 3461 §4.3 asks for of failures only; undefined where its
 * header section must do, also because the message is large or cannot be a part of another as it is.
 */
export function returnedMessage({ action, original: { wholeMessage } }: DsnNotice): Buffer | undefined {
  if (action !== 'failed' || !wholeMessage || wholeMessage.length > LARGEST_RETURNED) return undefined
  const message = asBuffer(wholeMessage)
  return isTransportable(message) ? message : undefined
}

/** RFC 2045 §2.7 and §2.8: lines of at most 998 octets, no NUL, no CR or LF alone. */
export function isTransportable(bytes: Buffer): boolean {
  return bytes
    .toString('latin1')
    .split('\r\n')
    .every((line) => line.length <= 998 && !/[\r\n\0]/.test(line))
}
