import { isAscii, isUtf8 } from 'node:buffer'
import type { Address } from '../address/address.ts'
import { asBuffer, type ByteRange, findHeaderSection } from '../message/header-section.ts'
import { readMessageFields } from '../message/message-fields.ts'
import { type MimePart, readMimeTree } from '../message/mime-tree.ts'
import { type RawField, readRawFields } from '../message/raw-field.ts'
import { singleMailbox } from '../message/single-mailbox.ts'
import { LARGEST_SUBJECT } from '../queue/submission-limits.ts'
import type { Refusal } from '../smtp/refusal.ts'
import { readExtraFields } from './extra-fields.ts'
import { badContent } from './refusals.ts'

/** A submitted message that can be sent as far as it alone can tell. */
export interface SubmittedMessage {
  readonly content: Buffer
  readonly fields: readonly RawField[]
  /** Behind the fields: the empty line and the body. */
  readonly rest: ByteRange
  readonly from: Address
  readonly sender?: Address
  readonly subject: string
  readonly extra: Readonly<Record<string, string>>
  /** RFC 8689 §5: delivery is worth more than TLS. */
  readonly tlsRequiredNo: boolean
  readonly has8bit: boolean
  /** There is UTF-8 in a header section (RFC 6531 §3.1), of the message or one of its parts. */
  readonly hasUtf8Header: boolean
}

/** Reads what is submitted, and refuses what no server would take or no reader could understand. */
export function readSubmittedMessage(bytes: Uint8Array): SubmittedMessage | Refusal {
  const content = asBuffer(bytes)
  const { header, bodyStart } = findHeaderSection(content, 0)
  const problem = octetProblem(content, header, bodyStart)
  if (problem !== undefined) return badContent(problem)
  const fields = readRawFields(content, header)
  if ('malformedLine' in fields) return badContent(`line ${fields.malformedLine} is no header field`)
  const from = readMailbox(fields, 'From')
  if (!from) return unreadable('From', 'one field with one address is needed')
  const sender = readMailbox(fields, 'Sender')
  if (!sender && named(fields, 'Sender').length > 0)
    return unreadable('Sender', 'at most one field with one address')
  const extra = readExtraFields(fields)
  if ('code' in extra) return extra
  const { subject } = readMessageFields(content)
  if (Buffer.byteLength(subject) > LARGEST_SUBJECT)
    return badContent(`Subject: at most ${LARGEST_SUBJECT} octets`)
  const tlsRequired = named(fields, 'TLS-Required')
  return {
    content,
    fields,
    rest: { start: header.end, end: content.length },
    from,
    ...(sender && { sender }),
    subject,
    ...extra,
    tlsRequiredNo: tlsRequired.length > 0 && tlsRequired.every(({ value }) => /^no$/i.test(value)),
    has8bit: !isAscii(content),
    hasUtf8Header: hasUtf8Header(content, header),
  }
}

/** The fields of that name, in their order. */
export function named(fields: readonly RawField[], name: string): readonly RawField[] {
  return fields.filter((field) => field.name.toLowerCase() === name.toLowerCase())
}

function octetProblem(content: Buffer, header: ByteRange, bodyStart: number): string | undefined {
  if (header.end === bodyStart) return 'an empty line must end the header section'
  if (content.includes(0)) return 'the message has a NUL'
  if (hasBareLineEnd(content)) return 'the message has a CR or LF that is no CRLF'
  const section = content.subarray(header.start, header.end)
  if (!isUtf8(section)) return 'the header section is neither ASCII nor UTF-8'
  // RFC 5322 §2.2: printable characters, spaces and tabs; lines were looked at above.
  return /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(section.toString('latin1'))
    ? 'the header section has a control character'
    : undefined
}

const CR = 0x0d
const LF = 0x0a

/** RFC 5321 §2.3.8. What others read as a line end could end the message elsewhere (SMTP smuggling). */
function hasBareLineEnd(content: Buffer): boolean {
  for (let at = content.indexOf(CR); at >= 0; at = content.indexOf(CR, at + 1)) {
    if (content[at + 1] !== LF) return true
  }
  for (let at = content.indexOf(LF); at >= 0; at = content.indexOf(LF, at + 1)) {
    if (content[at - 1] !== CR) return true
  }
  return false
}

function readMailbox(fields: readonly RawField[], name: string): Address | undefined {
  const [field, second] = named(fields, name)
  return field && !second ? singleMailbox(field.value) : undefined
}

function unreadable(field: string, rule: string): Refusal {
  return { code: 550, enhancedCode: '5.6.0', text: `${field}: ${rule}` }
}

function hasUtf8Header(content: Buffer, header: ByteRange): boolean {
  const isPlain = ({ start, end }: ByteRange) => isAscii(content.subarray(start, end))
  const arePlain = (part: MimePart): boolean => isPlain(part.header) && part.parts.every(arePlain)
  return !isAscii(content) && !(isPlain(header) && arePlain(readMimeTree(content)))
}
