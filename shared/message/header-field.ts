import { type Address, formatAddress, formatUnicodeAddress } from '../address/address.ts'
import { encodeWords, needsEncoding } from './encoded-word.ts'
import { MessageSyntaxError } from './message-syntax-error.ts'

/** A mailbox (RFC 5322 §3.4): an address and the name of whoever it belongs to, or an empty one. */
export interface NamedAddress {
  readonly name: string
  readonly address: Address
}

/** Columns a line may have before it is folded where that is possible. */
const FOLD_AT = 77
/** RFC 5322 §2.1.1, in octets, without CRLF. */
const MAX_LINE = 998

/**
 * Writes a field with its CRLF, folded at white space. `origin` names what the body came from: it is the field
 * of the {@link MessageSyntaxError} for a line of more than 998 octets.
 */
export function formatField(name: string, body: string, origin: string): string {
  const lines: string[] = []
  let line = `${name}:`
  // Each word brings the white space before it, so that no line is made of white space alone (RFC 5322 §3.2.2).
  for (const [word] of ` ${body}`.matchAll(/[ \t]*[^ \t]+(?:[ \t]+$)?/g)) {
    if (line !== `${name}:` && Buffer.byteLength(line + word) > FOLD_AT) {
      lines.push(line)
      line = ''
    }
    line += word
  }
  lines.push(line)
  if (lines.some((text) => Buffer.byteLength(text) > MAX_LINE)) {
    throw new MessageSyntaxError(origin, `has a word too long for a line of ${MAX_LINE} octets`)
  }
  return `${lines.join('\r\n')}\r\n`
}

/** An address list (RFC 5322 §3.4); with `allowsUtf8` domains are written with U-labels (RFC 6532 §3.2). */
export function formatAddressList(addresses: readonly NamedAddress[], allowsUtf8: boolean): string {
  return addresses
    .map(({ name, address }) => {
      const addrSpec = allowsUtf8 ? formatUnicodeAddress(address) : formatAddress(address)
      return `${formatDisplayName(name)}<${addrSpec}>`
    })
    .join(', ')
}

/** Refuses what would end the field, start another one, or be cut at on the way (RFC 5322 §2.2). */
export function checkHeaderText(field: string, text: string): void {
  const control = /[\x00-\x1f\x7f]/.exec(text)?.[0]
  if (control !== undefined) {
    const code = control.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    throw new MessageSyntaxError(
      field,
      `has the control character U+${code}, which a header field cannot carry`,
    )
  }
  if (!text.isWellFormed()) throw new MessageSyntaxError(field, 'is no well-formed Unicode text')
}

const ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const ATOMS = new RegExp(`^${ATEXT}(?: ${ATEXT})*$`)

function formatDisplayName(name: string): string {
  if (name === '') return ''
  if (name.split(' ').some((word) => needsEncoding(word, false))) return `${encodeWords(name)} `
  return ATOMS.test(name) ? `${name} ` : `"${name.replace(/["\\]/g, '\\$&')}" `
}
