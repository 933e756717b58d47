import { asBuffer, endOfLine } from './header-section.ts'

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09
const EQUALS = 0x3d

/** RFC 2045 §6.7 (5), without the CRLF. */
const MAX_QUOTED_PRINTABLE_LINE = 76

/** Reads base64 (RFC 2045 §6.8); whatever is not of its alphabet is ignored, at padding it ends. */
export function decodeBase64(encoded: Uint8Array): Uint8Array {
  const text = asBuffer(encoded).toString('latin1')
  return Buffer.from(text.replace(/[^A-Za-z0-9+/=]+/g, ''), 'base64')
}

/** Reads quoted-printable (RFC 2045 §6.7); line breaks become CRLF, an `=` that encodes nothing stays. */
export function decodeQuotedPrintable(encoded: Uint8Array): Uint8Array {
  const input = asBuffer(withCrlf(encoded))
  const output = Buffer.alloc(input.length)
  let length = 0
  for (let line = 0; line < input.length; ) {
    const next = endOfLine(input, line)
    const isBroken = input[next - 1] === LF
    const end = endOfText(input, line, isBroken ? next - 2 : next)
    const isSoft = isBroken && end > line && input[end - 1] === EQUALS
    length = decodeOctets(input, line, isSoft ? end - 1 : end, output, length)
    if (isBroken && !isSoft) length += output.write('\r\n', length, 'latin1')
    line = next
  }
  return output.subarray(0, length)
}

/** Writes text, whose lines end in LF, as quoted-printable with CRLF. */
export function encodeQuotedPrintable(text: string): string {
  return text.split('\n').map(encodeLine).join('\r\n')
}

/** The bytes with every LF that follows no CR turned into CRLF; the same array if there is none. */
export function withCrlf(bytes: Uint8Array): Uint8Array {
  const count = countBareLf(bytes)
  if (count === 0) return bytes
  const output = Buffer.alloc(bytes.length + count)
  let length = 0
  let previous = 0
  for (const octet of bytes) {
    if (octet === LF && previous !== CR) output[length++] = CR
    output[length++] = octet
    previous = octet
  }
  return output
}

function countBareLf(bytes: Uint8Array): number {
  let count = 0
  let previous = 0
  for (const octet of bytes) {
    if (octet === LF && previous !== CR) count += 1
    previous = octet
  }
  return count
}

/** Decodes the range into `output` from `length` on; returns the new length. */
function decodeOctets(input: Buffer, start: number, end: number, output: Buffer, length: number): number {
  let written = length
  for (let at = start; at < end; at += 1) {
    const octet = input[at] ?? 0
    const decoded = octet === EQUALS && at + 2 < end ? decodeOctet(input[at + 1], input[at + 2]) : undefined
    output[written++] = decoded ?? octet
    if (decoded !== undefined) at += 2
  }
  return written
}

/** Spaces at the end of an encoded line were added on the way (RFC 2045 §6.7 (3)). */
function endOfText(input: Buffer, start: number, end: number): number {
  let at = end
  while (at > start && (input[at - 1] === SPACE || input[at - 1] === TAB)) at -= 1
  return at
}

function decodeOctet(high: number | undefined, low: number | undefined): number | undefined {
  const [highDigit, lowDigit] = [hexDigit(high), hexDigit(low)]
  return highDigit === undefined || lowDigit === undefined ? undefined : highDigit * 16 + lowDigit
}

function hexDigit(octet = 0): number | undefined {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const upper = octet & 0xdf
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x41 + 10 : undefined
}

function encodeLine(line: string): string {
  const octets = Buffer.from(line).toString('latin1')
  const encoded = octets.replace(/[^\t -<>-~]|[\t ]$/g, (octet) => {
    return `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
  const lines: string[] = []
  let current = ''
  for (const [unit] of encoded.matchAll(/=..|./g)) {
    // One column is for the `=` of the soft line break.
    if (current.length + unit.length >= MAX_QUOTED_PRINTABLE_LINE) {
      lines.push(`${current}=`)
      current = ''
    }
    current += unit
  }
  return [...lines, current].join('\r\n')
}
