import { isUtf8 } from 'node:buffer'

/** Byte offsets into the message; `end` is exclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A header field, unfolded; nothing in it is decoded. */
export interface HeaderField {
  /** Lower case. */
  readonly name: string
  readonly value: string
}

/** Where a header field stands in the message, as it was written. */
export interface RawField {
  /** Lower case; empty for a line that is no field. */
  readonly name: string
  /** With its continuation lines and its last line break. */
  readonly range: ByteRange
}

/** Where a header section lies: its fields, without the empty line, and where the body begins. */
export interface HeaderSection {
  readonly header: ByteRange
  readonly bodyStart: number
}

/** A longer header section ends here, its rest counts as body. */
const MAX_HEADER_SECTION = 1 << 20

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09

/**
 * Finds the header section that begins at `start`. It ends at an empty line, or before a line for which
 * `isBeyond` holds (a delimiter), or at 1 MiB. Lines end in CRLF or LF.
 */
export function findHeaderSection(
  message: Buffer,
  start: number,
  isBeyond: (lineStart: number, lineEnd: number) => boolean = () => false,
): HeaderSection {
  let line = start
  while (line < message.length) {
    const next = endOfLine(message, line)
    if (next - start > MAX_HEADER_SECTION || isBeyond(line, next)) break
    if (isEmptyLine(message, line, next)) return { header: { start, end: line }, bodyStart: next }
    line = next
  }
  return { header: { start, end: line }, bodyStart: line }
}

/** Fields in their order. Lines that are no field are left out; 8-bit text is UTF-8 or else ISO 8859-1. */
export function readHeaderFields(message: Buffer, range: ByteRange): readonly HeaderField[] {
  const lines = message.toString('latin1', range.start, range.end).split(/\r?\n/)
  const fields: { readonly name: string; readonly lines: string[] }[] = []
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      fields.at(-1)?.lines.push(line)
      continue
    }
    // obs-optional allows spaces before the colon (RFC 5322 §4.5.8). A line that is no field takes its
    // continuation lines with it.
    const [, name = '', rest = ''] = /^([!-9;-~]+)[ \t]*:(.*)$/s.exec(line) ?? []
    fields.push({ name: name.toLowerCase(), lines: [rest] })
  }
  return fields
    .filter(({ name }) => name !== '')
    .map(({ name, lines }) => ({ name, value: readText(lines.join('')).trim() }))
}

/** Where each field stands, in their order, for those to whom the octets matter. */
export function readRawFields(message: Buffer, { start, end }: ByteRange): readonly RawField[] {
  const starts: number[] = []
  for (let line = start; line < end; line = endOfLine(message, line)) {
    if (line === start || !isWhiteSpace(message[line])) starts.push(line)
  }
  return starts.map((from, place) => {
    const range = { start: from, end: starts[place + 1] ?? end }
    const [, name = ''] = /^([!-9;-~]+)[ \t]*:/.exec(message.toString('latin1', from, range.end)) ?? []
    return { name: name.toLowerCase(), range }
  })
}

/** The value of the first field with that name (lower case), or undefined. */
export function firstValue(fields: readonly HeaderField[], name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value
}

/** Where the line that begins at `start` ends, behind its LF. */
export function endOfLine(message: Buffer, start: number): number {
  const lf = message.indexOf(LF, start)
  return lf < 0 ? message.length : lf + 1
}

/** A view on the same bytes that has the methods of Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function isWhiteSpace(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB
}

function isEmptyLine(message: Buffer, start: number, next: number): boolean {
  return message[start] === LF || (message[start] === CR && message[start + 1] === LF && next === start + 2)
}

function readText(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1
  const bytes = Buffer.from(latin1, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : latin1
}
