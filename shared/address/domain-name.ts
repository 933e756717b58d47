import { domainToASCII, domainToUnicode } from 'node:url'

declare const domainName: unique symbol

/** A DNS domain name as it goes over the wire: A-labels, lower case, no trailing dot (RFC 5890 §2.3.2.1). */
export type DomainName = string & { readonly [domainName]: true }

/** The text is no address or no domain name; the message may be shown to whoever wrote the text. */
export class AddressSyntaxError extends Error {
  override readonly name = 'AddressSyntaxError'
}

/** RFC 1035 §2.3.4, in octets; without the trailing dot and the length octets 253 remain of 255. */
const MAX_LABEL = 63
const MAX_DOMAIN = 253

const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/

/** Reads A-labels and U-labels by IDNA lookup processing (UTS #46); throws {@link AddressSyntaxError}. */
export function parseDomainName(text: string): DomainName {
  // domainToASCII is made for URLs: it would cut at a slash, decode %61, drop tabs and read numbers as IPv4.
  if (!/^[a-zA-Z0-9.\-\u0080-\uffff]+$/.test(text) || !text.isWellFormed())
    throw malformed(text, 'characters')
  const ascii = domainToASCII(text)
  if (ascii === '') throw malformed(text, 'international label')
  if (ascii.length > MAX_DOMAIN) throw malformed(text, `length (more than ${MAX_DOMAIN} octets)`)
  const labels = ascii.split('.')
  const wrong = labels.find((label) => label.length > MAX_LABEL || !LABEL.test(label) || !isGoodALabel(label))
  if (wrong !== undefined) throw malformed(text, `label ${JSON.stringify(wrong)}`)
  if (/^\d+$/.test(labels.at(-1) ?? '')) throw malformed(text, 'last label (an IP address is no domain name)')
  return ascii as DomainName
}

/** The domain name with U-labels, for people. {@link parseDomainName} is its inverse. */
export function formatUnicodeDomain(domain: DomainName): string {
  return domainToUnicode(domain)
}

/** domainToASCII passes any `xn--` label that comes in ASCII, also one that decodes to nothing. */
function isGoodALabel(label: string): boolean {
  if (!label.startsWith('xn--')) return true
  const unicode = domainToUnicode(label)
  return !unicode.startsWith('xn--') && domainToASCII(unicode) === label
}

function malformed(text: string, what: string): AddressSyntaxError {
  return new AddressSyntaxError(`malformed domain name ${JSON.stringify(text.slice(0, 300))}: bad ${what}`)
}
