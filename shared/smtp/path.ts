import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError } from '../address/domain-name.ts'

/** The argument of MAIL or RCPT, taken apart. */
interface PathArgument {
  /** What stands between the brackets, without a source route (RFC 5321 §4.1.1.3: read and ignored). */
  readonly path: string
  /** What follows them. */
  readonly parameters: string
}

const ARGUMENT = /^\s*<(?:@[^\s:<>"]+:)?((?:"(?:[^"\\]|\\.)*"|[^"\s<>])*)>(?:\s+(\S.*)?)?$/

/** Reads `FROM:<path> parameters` or `TO:<path> parameters`; undefined when the syntax is wrong. */
export function parsePathArgument(keyword: 'FROM' | 'TO', text: string): PathArgument | undefined {
  const colon = text.indexOf(':')
  if (text.slice(0, Math.max(colon, 0)).trimEnd().toUpperCase() !== keyword) return undefined
  const [whole, path = '', parameters = ''] = ARGUMENT.exec(text.slice(colon + 1)) ?? []
  return whole === undefined ? undefined : { path, parameters }
}

/** Undefined for what is no address. */
export function readAddress(path: string): Address | undefined {
  try {
    return parseAddress(path)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

/** `name@[192.0.2.1]` (RFC 5321 §4.1.3), which an {@link Address} cannot say. */
export function hasAddressLiteral(path: string): boolean {
  return /@\[[^[\]]*\]$/.test(path)
}

/** Whether the path needs SMTPUTF8 (RFC 6531 §3.3): also its domain, which comes in A-labels otherwise. */
export function isAsciiPath(path: string): boolean {
  return /^[\x00-\x7f]*$/.test(path)
}
