import { createHash } from 'node:crypto'

/** How much of header or body may change on the way (RFC 6376 §3.4). */
export type Canonicalization = 'simple' | 'relaxed'

/** What is made canonical at once, so that a large body is not copied whole; and then others get their turn. */
const CHUNK = 1 << 20

const CRLF = Buffer.from('\r\n')
const [CR, LF, SPACE, TAB] = [0x0d, 0x0a, 0x20, 0x09]

/**
 * A field as it is signed, without its last line break (RFC 6376 §3.4.1, §3.4.2). `field` is what stands in the
 * message, each octet as one character.
 */
export function canonicalizeField(field: string, canonicalization: Canonicalization): string {
  const whole = field.endsWith('\r\n') ? field.slice(0, -2) : field
  if (canonicalization === 'simple') return whole
  const colon = whole.indexOf(':')
  const name = whole.slice(0, colon).replace(/[ \t]+$/, '')
  const value = whole
    .slice(colon + 1)
    .replace(/\r\n(?=[ \t])/g, '')
    .replace(/[ \t]+/g, ' ')
  // A run of white space is one space by now. (trim() would take more than RFC 5234's WSP.)
  return `${name.toLowerCase()}:${value.replace(/^ /, '').replace(/ $/, '')}`
}

/** SHA-256 of the body as it is signed (RFC 6376 §3.4.3, §3.4.4). `pause` lets others have their turn. */
export async function hashBody(
  body: Buffer,
  canonicalization: Canonicalization,
  pause: () => Promise<void>,
): Promise<Buffer> {
  const hash = createHash('sha256')
  const end = endOfContent(body, canonicalization)
  for (let start = 0; start < end; ) {
    const next = endOfChunk(body, start, end)
    hash.update(canonicalization === 'simple' ? body.subarray(start, next) : relaxLines(body, start, next))
    if (next < end) await pause()
    start = next
  }
  // An empty body is one empty line for `simple`, and nothing for `relaxed`.
  if (end > 0 || canonicalization === 'simple') hash.update(CRLF)
  return hash.digest()
}

/** Empty lines at the end are ignored, and for `relaxed` white space too. What is left has no line break at its end. */
function endOfContent(body: Buffer, canonicalization: Canonicalization): number {
  for (let end = body.length; ; ) {
    const last = body[end - 1]
    if (last === LF && body[end - 2] === CR) end -= 2
    else if (canonicalization === 'relaxed' && (last === SPACE || last === TAB)) end -= 1
    else return end
  }
}

/** Behind the line in which the chunk is full. */
function endOfChunk(body: Buffer, start: number, end: number): number {
  const lineBreak = body.indexOf(CRLF, start + CHUNK)
  return lineBreak < 0 || lineBreak + 2 > end ? end : lineBreak + 2
}

function relaxLines(body: Buffer, start: number, end: number): Buffer {
  const lines = body.toString('latin1', start, end).replace(/[ \t]+/g, ' ')
  return Buffer.from(lines.replaceAll(' \r\n', '\r\n'), 'latin1')
}
