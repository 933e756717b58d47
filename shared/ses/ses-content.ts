import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError } from '../address/domain-name.ts'
import { asBuffer, findHeaderSection, readRawFields } from '../message/header-section.ts'
import { readMessageFields } from '../message/message-fields.ts'

/** SES sets Return-Path and signs for itself; it would show Bcc to everybody. */
const REMOVED = new Set(['return-path', 'bcc', 'dkim-signature'])

/**
 * Fields that tell SES what to do, with tags, configuration sets and identities (Amazon SES Developer Guide, "Specifying
 * a configuration set when you send email", "Sending authorization"): whoever writes the message has no say in that, or
 * could have events about mail of others.
 */
const FOR_SES = 'x-ses-'

/** Of these SES takes no second one ("Header fields" in the SES Developer Guide); RFC 5322 §3.6 allows none either. */
const ONCE = new Set([
  'cc',
  'content-disposition',
  'content-id',
  'content-transfer-encoding',
  'content-type',
  'date',
  'from',
  'in-reply-to',
  'message-id',
  'mime-version',
  'references',
  'reply-to',
  'sender',
  'subject',
  'to',
])

/** The message as SES takes it: without fields that are not for it, and the first of those that it wants once. */
export function sesContent(content: Uint8Array): Uint8Array {
  const message = asBuffer(content)
  const { header, bodyStart } = findHeaderSection(message, 0)
  const seen = new Set<string>()
  const kept = readRawFields(message, header).filter(({ name }) => {
    if (name.startsWith(FOR_SES) || REMOVED.has(name) || (ONCE.has(name) && seen.has(name))) return false
    seen.add(name)
    return true
  })
  const fields = kept.map(({ range }) => message.subarray(range.start, range.end))
  // What we do not read as fields, because there are too many, SES must not either.
  const separator = bodyStart === header.end ? [Buffer.from('\r\n')] : []
  return Buffer.concat([...fields, ...separator, message.subarray(header.end)])
}

/** The first author, whose address or domain SES must have verified; undefined where the message has none. */
export function sesSender(content: Uint8Array): Address | undefined {
  const [author] = readMessageFields(content).from
  try {
    return author && parseAddress(author.address)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}
