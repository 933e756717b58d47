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
      isInNameOf(hostname, message.toString('latin1', range.start, range.end)),
  )
  if (forged.length === 0) return content
  const starts = [0, ...forged.map(({ range }) => range.end)]
  const ends = [...forged.map(({ range }) => range.start), message.length]
  return Buffer.concat(starts.map((start, place) => message.subarray(start, ends[place])))
}

/** So much is read of a field, until its first word ends; only who hides that word needs more. */
const LONGEST_FIELD_BEGIN = 2000

/** By the authserv-id (RFC 8601 §2.2): the first word that is no comment, perhaps quoted. */
function isInNameOf(hostname: string, field: string): boolean {
  const value = stripComments(field.slice(field.indexOf(':') + 1, LONGEST_FIELD_BEGIN))
  const [read = '', quoted, bare = ''] =
    /^[ \t\r\n]*(?:"((?:[^"\\]|\\.)*)"|([^ \t\r\n;]*))/s.exec(value) ?? []
  if (field.length > LONGEST_FIELD_BEGIN && read.length === value.length) return true
  const service = (quoted?.replace(/\\(.)/gs, '$1') ?? bare).toLowerCase().replace(/\.$/, '')
  return service === hostname.toLowerCase()
}
