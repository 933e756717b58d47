import addressparser from 'nodemailer/lib/addressparser'
import { formatUnicodeAddress, parseAddress } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import { parseDateTime } from './date-time.ts'
import { decodeWords } from './decode-words.ts'
import {
  asBuffer,
  findHeaderSection,
  firstValue,
  type HeaderField,
  readHeaderFields,
} from './header-section.ts'
import { readPartFields } from './part-fields.ts'
import { stripComments } from './structured-field.ts'

/** A mailbox (RFC 5322 §3.4) as a received message names it; neither text is known to be well-formed. */
export interface NamedAddressText {
  readonly name: string
  /** With a Unicode domain where it is an address; empty where the message had only a name. */
  readonly address: string
}

/** What the header section of a message says, decoded; of a repeated field the first counts. */
export interface MessageFields {
  readonly from: readonly NamedAddressText[]
  readonly to: readonly NamedAddressText[]
  readonly cc: readonly NamedAddressText[]
  readonly bcc: readonly NamedAddressText[]
  readonly replyTo: readonly NamedAddressText[]
  readonly subject: string
  /** As written, with angle brackets if it has them; empty if missing. */
  readonly messageId: string
  /** As written; may hold several ids. */
  readonly inReplyTo: string
  /** With angle brackets, oldest first. */
  readonly references: readonly string[]
  readonly date?: Instant
  /** Sent by a program, as far as the header section tells; a null reverse-path says so too. */
  readonly automated: boolean
}

/** What lies beyond is not read: the fields are kept with the mail, in an item of bounded size. */
const MAX_FIELD = 32_768

/** Reads the header section. Never throws: what cannot be read is empty. */
export function readMessageFields(bytes: Uint8Array): MessageFields {
  const message = asBuffer(bytes)
  const fields = readHeaderFields(message, findHeaderSection(message, 0).header)
  const value = (name: string) => (firstValue(fields, name) ?? '').slice(0, MAX_FIELD)
  const date = parseDateTime(value('date'))
  return {
    from: readAddresses(value('from')),
    to: readAddresses(value('to')),
    cc: readAddresses(value('cc')),
    bcc: readAddresses(value('bcc')),
    replyTo: readAddresses(value('reply-to')),
    subject: decodeText(value('subject')),
    messageId: value('message-id'),
    inReplyTo: value('in-reply-to'),
    references: readMessageIds(value('references')),
    ...(date !== undefined && { date }),
    automated: isAutomated(fields),
  }
}

/** Reading a list takes time that grows faster than its length, and is taken before anything is known of the sender. */
const MAX_AUTHORS = 8192

/**
 * The authors that the From fields name, of each field those in its first 8 KB. An honest message has one field
 * (RFC 5322 §3.6); of several the first and the last are read, since a reader is shown one of them.
 */
export function readAuthors(bytes: Uint8Array): readonly (readonly NamedAddressText[])[] {
  return shownFroms(bytes).map((value) => readAddresses(value.slice(0, MAX_AUTHORS)))
}

/** Whether a From field goes on where {@link readAuthors} ends, so that a reader may be shown another author. */
export function hasUnreadAuthors(bytes: Uint8Array): boolean {
  return shownFroms(bytes).some((value) => value.length > MAX_AUTHORS)
}

function shownFroms(bytes: Uint8Array): readonly string[] {
  const message = asBuffer(bytes)
  const fields = readHeaderFields(message, findHeaderSection(message, 0).header)
  const froms = fields.flatMap(({ name, value }) => (name === 'from' ? [value] : []))
  return [...froms.slice(0, 1), ...froms.slice(1).slice(-1)]
}

/** The References that MessageGet shows: In-Reply-To comes first if it is not among them. */
export function referencesWithInReplyTo({ references, inReplyTo }: MessageFields): readonly string[] {
  const [parent] = readMessageIds(inReplyTo)
  return parent === undefined || references.includes(parent) ? references : [parent, ...references]
}

/** Whatever stands in angle brackets without white space is an id; the rest is broken and dropped. */
function readMessageIds(value: string): readonly string[] {
  return value.match(/<[^<>\s]+>/g) ?? []
}

function readAddresses(value: string): readonly NamedAddressText[] {
  return readOr(() => addressparser(value, { flatten: true }), [])
    .map(({ name, address }) => ({ name: decodeText(name), address: readAddress(address) }))
    .filter(({ name, address }) => name !== '' || address !== '')
}

function readAddress(text: string): string {
  return readOr(() => formatUnicodeAddress(parseAddress(text)), withoutControls(text))
}

function decodeText(text: string): string {
  return withoutControls(readOr(() => decodeWords(text), text))
}

/** An encoded word can hide a line break or an escape sequence. */
function withoutControls(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').trim()
}

/** RFC 3834 §2 and §5, RFC 2919, RFC 2369, RFC 6522. */
function isAutomated(fields: readonly HeaderField[]): boolean {
  const isSet = (name: string) => fields.some((field) => field.name === name && field.value !== '')
  if (['list-id', 'list-unsubscribe', 'list-unsubscribe-post', 'precedence'].some(isSet)) return true
  const autoSubmitted = stripComments((firstValue(fields, 'auto-submitted') ?? '').slice(0, 1000))
  const keyword = autoSubmitted.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (keyword !== '' && keyword !== 'no') return true
  return readPartFields(fields, 'text/plain').contentType === 'multipart/report'
}

/** The libraries are made for honest messages; what makes them throw is as good as unreadable. */
function readOr<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
