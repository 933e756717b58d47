import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError } from '../address/domain-name.ts'
import { stripComments } from './structured-field.ts'

const PHRASE = /^(?:"(?:[^"\\]|\\.)*"|[^"<>@,;:\\()[\]])*$/s
const ANGLE_ADDRESS = /^(.*)<([^<>]*)>$/s

/**
 * The address of a field that names exactly one mailbox (RFC 5322 §3.4), or undefined. Strict, because what we take
 * for the author must be what every reader takes for the author: no groups, no second address, no loose `@`.
 */
export function singleMailbox(value: string): Address | undefined {
  const text = stripComments(value).trim()
  const [, phrase = '', address = text] = ANGLE_ADDRESS.exec(text) ?? []
  if (!PHRASE.test(phrase)) return undefined
  try {
    return parseAddress(address.trim())
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}
