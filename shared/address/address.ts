import { AddressSyntaxError, type DomainName, formatUnicodeDomain, parseDomainName } from './domain-name.ts'

/**
 * A mailbox (RFC 5321 §4.1.2, RFC 6531 §3.3). The null reverse-path `<>` is not an Address.
 * Local parts are compared octet by octet after NFC; folding case is up to the receiving domain.
 */
export interface Address {
  /** What is meant, never quoted or escaped: `"a b"@x.example` has the local part `a b`. NFC, 1 to 128 octets. */
  readonly localpart: string
  readonly domain: DomainName
}

/** RFC 5321 §4.5.3.1.1 says 64 octets; generated bounce addresses in the field are longer. */
const MAX_LOCALPART = 128

// C1 controls are left out of RFC 6531's UTF8-non-ascii: terminals and old header parsers obey some of them.
const ATEXT = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u00a0-\\uffff]"
const DOT_ATOM = new RegExp(`^${ATEXT}+(?:\\.${ATEXT}+)*$`)
const QUOTED_STRING = /^"((?:[ !#-[\]-~\u00a0-\uffff]|\\[ -~])*)"$/

/** Reads `local-part@domain` without brackets, name, comments or IP literal; throws {@link AddressSyntaxError}. */
export function parseAddress(text: string): Address {
  // First NFC, then the grammar: U+037E becomes a semicolon.
  const normalized = text.normalize('NFC')
  const at = normalized.lastIndexOf('@')
  if (at < 0) throw malformed(text, 'no @')
  const domain = parseDomainName(normalized.slice(at + 1))
  return { localpart: parseLocalpart(normalized.slice(0, at), text), domain }
}

/** The address as commands and header fields carry it; the local part is quoted only when it must be. */
export function formatAddress(address: Address): string {
  return `${formatLocalpart(address.localpart)}@${address.domain}`
}

/** The address with U-labels, for people and for messages that need SMTPUTF8 anyway. */
export function formatUnicodeAddress(address: Address): string {
  return `${formatLocalpart(address.localpart)}@${formatUnicodeDomain(address.domain)}`
}

/** Whether the address can go to a server without SMTPUTF8 (RFC 6531 §3.2); its domain always can. */
export function isAsciiLocalpart(address: Address): boolean {
  return /^[\x00-\x7f]*$/.test(address.localpart)
}

function parseLocalpart(text: string, whole: string): string {
  const quoted = QUOTED_STRING.exec(text)?.[1]
  const localpart = quoted === undefined ? text : quoted.replace(/\\(.)/g, '$1')
  if (localpart === '') throw malformed(whole, 'empty local part')
  if (quoted === undefined && !DOT_ATOM.test(text)) throw malformed(whole, 'local part must be quoted')
  if (!text.isWellFormed()) throw malformed(whole, 'lone surrogate')
  if (Buffer.byteLength(localpart) > MAX_LOCALPART) {
    throw malformed(whole, `local part longer than ${MAX_LOCALPART} octets`)
  }
  return localpart
}

function formatLocalpart(localpart: string): string {
  return DOT_ATOM.test(localpart) ? localpart : `"${localpart.replace(/["\\]/g, '\\$&')}"`
}

function malformed(text: string, why: string): AddressSyntaxError {
  return new AddressSyntaxError(`malformed address ${JSON.stringify(text.slice(0, 500))}: ${why}`)
}
