import { asBuffer, findHeaderSection, readRawFields } from '../message/header-section.ts'
import { stripComments } from '../message/structured-field.ts'

/**
 * The message without Authentication-Results fields in our name: only we may say what we found (RFC 8601 §5). The same
 * bytes where it has none.
 */
export function withoutOwnResults(content: Uint8Array, hostname: string): Uint8Array {
  const message = asBuffer(content)
  const forged = readRawFields(message, findHeaderSection(message, 0).header).filter(
    ({ name, range }) =>
      name === 'authentication-results' &&
      serviceOf(message.toString('latin1', range.start, range.end)) === hostname.toLowerCase(),
  )
  if (forged.length === 0) return content
  const starts = [0, ...forged.map(({ range }) => range.end)]
  const ends = [...forged.map(({ range }) => range.start), message.length]
  return Buffer.concat(starts.map((start, place) => message.subarray(start, ends[place])))
}

/** Longer names are nobody's. */
const LONGEST_FIELD_BEGIN = 2000

/** The authserv-id (RFC 8601 §2.2): the first word that is no comment, perhaps quoted. */
function serviceOf(field: string): string {
  const value = stripComments(field.slice(field.indexOf(':') + 1, LONGEST_FIELD_BEGIN))
  const [, quoted, bare = ''] = /^[ \t\r\n]*(?:"((?:[^"\\]|\\.)*)"|([^ \t\r\n;]*))/s.exec(value) ?? []
  return (quoted?.replace(/\\(.)/gs, '$1') ?? bare).toLowerCase().replace(/\.$/, '')
}
