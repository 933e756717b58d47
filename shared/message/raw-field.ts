import { asBuffer, type ByteRange, endOfLine } from './header-section.ts'

/** A header field (RFC 5322 §2.2) and where it stands in the message, with its line ends. */
export interface RawField extends ByteRange {
  /** As written. */
  readonly name: string
  /** Unfolded, without white space around it; nothing in it is decoded. */
  readonly value: string
}

/** A line that is no header field, counted from 1. */
export interface MalformedHeader {
  readonly malformedLine: number
}

/** RFC 5322 §2.2, and UTF-8: X-Mox-Extra-☺ is a name too. Spaces before the colon are obsolete (§4.5.8). */
const FIELD = /^([^\x00-\x20:\x7f]+)[ \t]*:(.*)$/s

/** The fields of a header section in their order, which must be ASCII or UTF-8 and have CRLF line ends. */
export function readRawFields(
  bytes: Uint8Array,
  { start, end }: ByteRange,
): readonly RawField[] | MalformedHeader {
  const message = asBuffer(bytes)
  const fields: { start: number; end: number; name: string; lines: string[] }[] = []
  let number = 1
  for (let line = start; line < end; number++) {
    const next = endOfLine(message, line)
    const text = message.toString('utf8', line, next).replace(/\r\n$/, '')
    const last = fields.at(-1)
    const [, name, rest = ''] = FIELD.exec(text) ?? []
    if (/^[ \t]/.test(text) && last) {
      last.lines.push(text)
      last.end = next
    } else if (name !== undefined) {
      fields.push({ start: line, end: next, name, lines: [rest] })
    } else {
      return { malformedLine: number }
    }
    line = next
  }
  return fields.map(({ lines, ...field }) => ({ ...field, value: lines.join('').trim() }))
}
