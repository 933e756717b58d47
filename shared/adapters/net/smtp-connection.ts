import { isUtf8 } from 'node:buffer'
import type { SMTPServerAddress, SMTPServerAddressArgs } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection'
import { parseAddress } from '../../address/address.ts'
import { AddressSyntaxError } from '../../address/domain-name.ts'

const ENHANCED = /^[245]\.\d{1,3}\.\d{1,3} /

/** `<path>` and parameters; a source route (RFC 5321 §4.1.1.3) is read and ignored. */
const ARGUMENT = /^<(?:@[^\s:<>"]+:)?((?:"(?:[^"\\]|\\.)*"|[^"\s<>])*)>(?:\s+(\S.*))?$/

/**
 * The library's connection, changed where it has to know better; it leaves no other way than a subclass. Members
 * with an underscore are its own: the version is pinned, and the listener's tests are the contract.
 */
export class ReceivingConnection extends SMTPConnection {
  /** A text that begins with an enhanced code keeps it: the library has one code for all that it answers 550. */
  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, data, typeof data === 'string' && ENHANCED.test(data) ? false : context)
  }

  /** Our grammar of addresses, which has quoted local parts; false becomes 501 with 5.1.7 or 5.1.3. */
  override _parseAddressCommand(
    rawName: string,
    rawCommand: Buffer | string,
  ): (SMTPServerAddress & { duplicate?: string | undefined }) | false {
    const bytes = Buffer.from(rawCommand)
    const command = bytes.toString().trim()
    const colon = command.indexOf(':')
    const name = rawName.toUpperCase()
    if (!isUtf8(bytes) || /[\x00-\x1f\x7f]/.test(command)) return false
    if (command.slice(0, Math.max(colon, 0)).trimEnd().toUpperCase() !== name) return false
    const [whole, address = '', parameters = ''] = ARGUMENT.exec(command.slice(colon + 1).trimStart()) ?? []
    if (whole === undefined || !isPath(name, address)) return false
    return { address, ...parseParameters(parameters) }
  }
}

/** RFC 5321 §4.1.2: the null reverse-path, and the postmaster of no domain, are no addresses and yet allowed. */
function isPath(name: string, text: string): boolean {
  if (text === '') return name === 'MAIL FROM'
  if (name === 'RCPT TO' && isPostmaster(text)) return true
  try {
    parseAddress(text)
    return true
  } catch (error) {
    if (error instanceof AddressSyntaxError) return false
    throw error
  }
}

/** RFC 5321 §4.5.1: whoever runs this server. */
export function isPostmaster(text: string): boolean {
  return text.toLowerCase() === 'postmaster'
}

function parseParameters(text: string): {
  readonly args: SMTPServerAddressArgs | false
  readonly duplicate?: string
} {
  const pairs = text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [keyword = '', ...value] = word.split('=')
      return [keyword.toUpperCase(), value.join('=') || true] as const
    })
  const keywords = pairs.map(([keyword]) => keyword)
  const duplicate = keywords.find((keyword, at) => keywords.indexOf(keyword) !== at)
  return {
    args: pairs.length > 0 && Object.fromEntries(pairs),
    ...(duplicate !== undefined && { duplicate }),
  }
}
