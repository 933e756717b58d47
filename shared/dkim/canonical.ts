import { createHash } from 'node:crypto'

/** Large bodies are read in pieces of about this many octets. */
const PIECE = 1 << 20
const LF = 0x0a

/** The relaxed form of a header field (RFC 6376 §3.4.2), of octets as characters, with its line end. */
export function relaxedField(name: string, value: string): string {
  // Not trim(): to it, an octet of UTF-8 can be a space.
  const relaxed = value
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '')
  return `${name.toLowerCase()}:${relaxed}\r\n`
}

/** SHA-256 of the relaxed body (RFC 6376 §3.4.4); its lines end in CRLF. */
export function relaxedBodyHash(body: Buffer): Buffer {
  const hash = createHash('sha256')
  // Empty lines count when something follows them.
  let emptyLines = ''
  for (const piece of piecesOf(body)) {
    const relaxed = piece
      .toString('latin1')
      .replace(/[ \t]+/g, ' ')
      .replace(/ \r\n/g, '\r\n')
    const text = piece.at(-1) === LF ? relaxed : relaxed.replace(/ $/, '')
    let end = text.length
    while (end > 0 && text.startsWith('\r\n', end - 2)) end -= 2
    const lines = (text.length - end) / 2
    if (end === 0) {
      emptyLines += '\r\n'.repeat(lines)
      continue
    }
    hash.update(`${emptyLines}${text.slice(0, end)}\r\n`, 'latin1')
    emptyLines = '\r\n'.repeat(Math.max(0, lines - 1))
  }
  return hash.digest()
}

/** Pieces that end with a line, but for the last. */
function* piecesOf(body: Buffer): Generator<Buffer> {
  let start = 0
  while (start < body.length) {
    const lineEnd = body.indexOf(LF, Math.min(start + PIECE, body.length) - 1)
    const end = lineEnd < 0 ? body.length : lineEnd + 1
    yield body.subarray(start, end)
    start = end
  }
}
