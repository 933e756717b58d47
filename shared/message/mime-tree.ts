import { asBuffer, type ByteRange, endOfLine, findHeaderSection, readHeaderFields } from './header-section.ts'
import { type PartFields, readPartFields } from './part-fields.ts'
import { decodeBase64, decodeQuotedPrintable, withCrlf } from './transfer-encoding.ts'

/**
 * A message or one of its MIME parts, with its place in the bytes of the message. Plain JSON: it is stored
 * with the mail and read again for every part that is asked for.
 */
export interface MimePart extends PartFields {
  /** The header fields, without the empty line behind them. */
  readonly header: ByteRange
  /** As transferred; without the line break that belongs to the delimiter behind it. */
  readonly body: ByteRange
  /** Octets of {@link decodePart}; 0 for a multipart, as its parts have them. */
  readonly decodedSize: number
  readonly parts: readonly MimePart[]
}

/** Multiparts nested deeper are not descended into. */
const MAX_DEPTH = 20
/** With the message itself. The last one takes whatever would follow it. */
const MAX_PARTS = 1000
/** RFC 2046 §5.1.1 allows 70. */
const MAX_BOUNDARY = 200

/**
 * Reads the MIME structure (RFC 2045, 2046) in linear time. Never throws: a missing final delimiter, lines that
 * end in LF and limits that are passed cost structure, not content. A message/rfc822 part is a leaf.
 */
export function readMimeTree(bytes: Uint8Array): MimePart {
  const message = asBuffer(bytes)
  const open: OpenPart[] = []
  const root = openPart(message, 0, open)
  let count = 1
  for (let line = root.bodyStart; line < message.length; ) {
    const next = endOfLine(message, line)
    const delimiter = findDelimiter(message, line, next, open)
    if (delimiter === undefined) {
      line = nextDashes(message, line)
      continue
    }
    closeParts(open, delimiter.level + 1, beforeLineBreak(message, line))
    const multipart = open[delimiter.level]
    if (delimiter.isFinal || multipart === undefined) {
      if (multipart !== undefined) multipart.boundary = undefined
      line = next
    } else if (count + 1 < MAX_PARTS) {
      count += 1
      line = openPart(message, next, open).bodyStart
    } else {
      multipart.parts.push(opaquePart(message, next))
      break
    }
  }
  closeParts(open, 0, message.length)
  return finishPart(message, root)
}

/** The content of a part: decoded, text with CRLF; of a multipart the body as it is, with CRLF. */
export function decodePart(bytes: Uint8Array, part: MimePart): Uint8Array {
  return decodeBody(bytes.subarray(part.body.start, part.body.end), part)
}

/** The part that zero-based indices lead to; `[]` is the message itself. */
export function partAt(tree: MimePart, path: readonly number[]): MimePart | undefined {
  return path.reduce<MimePart | undefined>((part, index) => part?.parts[index], tree)
}

/** A part that is being read. The list of open parts leads from the message to the innermost one. */
interface OpenPart {
  readonly fields: PartFields
  readonly header: ByteRange
  readonly bodyStart: number
  bodyEnd: number
  /** As it stands in the bytes; undefined for a leaf and behind the final delimiter. */
  boundary: string | undefined
  readonly parts: OpenPart[]
}

function openPart(message: Buffer, start: number, open: OpenPart[]): OpenPart {
  const parent = open.at(-1)
  const { header, bodyStart } = findHeaderSection(message, start, (line, next) => {
    return findDelimiter(message, line, next, open) !== undefined
  })
  const isDigest = parent?.fields.contentType === 'multipart/digest'
  const fields = readPartFields(readHeaderFields(message, header), isDigest ? 'message/rfc822' : 'text/plain')
  const boundary = open.length < MAX_DEPTH ? boundaryOf(fields) : undefined
  const part: OpenPart = { fields, header, bodyStart, bodyEnd: message.length, boundary, parts: [] }
  parent?.parts.push(part)
  open.push(part)
  return part
}

/** Whatever follows when there are too many parts already. */
function opaquePart(message: Buffer, start: number): OpenPart {
  const fields = readPartFields([], 'application/octet-stream')
  const header = { start, end: start }
  return { fields, header, bodyStart: start, bodyEnd: message.length, boundary: undefined, parts: [] }
}

/** From the innermost: one line break can end the delimiter of an empty part and begin that of its parent's next. */
function closeParts(open: OpenPart[], level: number, end: number): void {
  for (const part of open.splice(level).reverse()) {
    part.bodyEnd = Math.max(part.bodyStart, end, part.parts.at(-1)?.bodyEnd ?? 0)
  }
}

function boundaryOf(fields: PartFields): string | undefined {
  const { boundary } = fields.contentTypeParams
  if (!fields.contentType.startsWith('multipart/') || !boundary) return undefined
  const octets = Buffer.from(boundary.trimEnd()).toString('latin1')
  return octets === '' || octets.length > MAX_BOUNDARY ? undefined : octets
}

interface Delimiter {
  readonly level: number
  readonly isFinal: boolean
}

/** RFC 2046 §5.1.1: `--`, the boundary of any open multipart, `--` for the final one, then only white space. */
function findDelimiter(
  message: Buffer,
  line: number,
  next: number,
  open: readonly OpenPart[],
): Delimiter | undefined {
  if (message[line] !== 0x2d || message[line + 1] !== 0x2d) return undefined
  let end = next
  while (end > line && isWhiteSpace(message[end - 1])) end -= 1
  if (end - line > MAX_BOUNDARY + 4) return undefined
  const text = message.toString('latin1', line + 2, end)
  for (let level = open.length - 1; level >= 0; level -= 1) {
    const boundary = open[level]?.boundary
    if (boundary === undefined) continue
    if (text === boundary) return { level, isFinal: false }
    if (text === `${boundary}--`) return { level, isFinal: true }
  }
  return undefined
}

function isWhiteSpace(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09 || octet === 0x0d || octet === 0x0a
}

/** The next line that may be a delimiter: one search, as messages have many lines. */
function nextDashes(message: Buffer, line: number): number {
  const at = message.indexOf('\n--', line, 'latin1')
  return at < 0 ? message.length : at + 1
}

/** The line break before a delimiter belongs to it. */
function beforeLineBreak(message: Buffer, line: number): number {
  return message[line - 2] === 0x0d ? line - 2 : line - 1
}

function finishPart(message: Buffer, part: OpenPart): MimePart {
  const body = { start: part.bodyStart, end: part.bodyEnd }
  const parts = part.parts.map((child) => finishPart(message, child))
  const decodedSize =
    parts.length > 0 ? 0 : decodeBody(message.subarray(body.start, body.end), part.fields).length
  return { ...part.fields, header: part.header, body, decodedSize, parts }
}

function decodeBody(body: Uint8Array, { contentType, transferEncoding }: PartFields): Uint8Array {
  // A multipart may not be encoded (RFC 2045 §6.4); its parts lie in the bytes as they are.
  if (contentType.startsWith('multipart/')) return withCrlf(body)
  const isText = contentType.startsWith('text/')
  switch (transferEncoding) {
    case 'base64':
      return isText ? withCrlf(decodeBase64(body)) : decodeBase64(body)
    case 'quoted-printable':
      return isText ? withCrlf(decodeQuotedPrintable(body)) : decodeQuotedPrintable(body)
    case 'binary':
      return isText ? withCrlf(body) : body
    default:
      return withCrlf(body)
  }
}
