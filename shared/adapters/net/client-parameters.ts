import { isAsciiLocalpart } from '../../address/address.ts'
import type { DeliveryRequest, RequestedMessage } from '../../queue/transport.ts'
import { encodeXtext } from '../../smtp/xtext.ts'

/** The keywords of an answer to EHLO, in upper case, with their parameters. */
export type Extensions = ReadonlyMap<string, string>

/** Reads the lines of an answer to EHLO (RFC 5321 §4.1.1.1) but the first; the first of a keyword counts. */
export function readExtensions(lines: readonly string[]): Extensions {
  const extensions = new Map<string, string>()
  for (const line of lines) {
    // `AUTH=LOGIN` is an old way to say `AUTH LOGIN`.
    const [, keyword = '', parameters = ''] = /^([A-Z0-9][A-Z0-9-]*)(?:[ =]+(.*))?$/i.exec(line.trim()) ?? []
    const name = keyword.toUpperCase()
    if (name !== '' && !extensions.has(name)) extensions.set(name, parameters.trim())
  }
  return extensions
}

/** The octets that a server takes in a message (RFC 1870 §4); Infinity when it does not say. */
export function largestMessage(extensions: Extensions): number {
  const size = extensions.get('SIZE') ?? ''
  return /^\d{1,15}$/.test(size) && Number(size) > 0 ? Number(size) : Number.POSITIVE_INFINITY
}

/**
 * How many RCPT commands a server takes in a transaction, or MAIL commands in a session (RFC 9422 §3, §4): `LIMITS
 * MAILMAX=10 RCPTMAX=100`. What cannot be read limits nothing, which is Infinity.
 */
export function limitOf(extensions: Extensions, name: 'RCPTMAX' | 'MAILMAX'): number {
  const words = (extensions.get('LIMITS') ?? '').split(/\s+/)
  const values = words.map((word) => /^([A-Z]+)=([1-9]\d{0,5})$/i.exec(word))
  const value = values.find((found) => found?.[1]?.toUpperCase() === name)
  return value ? Number(value[2]) : Number.POSITIVE_INFINITY
}

/** Says whether a transaction needs SMTPUTF8 (RFC 6531 §3.4): for addresses, or for header fields. */
export function needsSmtputf8({ smtputf8, mailFrom, messages }: DeliveryRequest): boolean {
  const addresses = [...messages.map(({ recipient }) => recipient), ...(mailFrom ? [mailFrom] : [])]
  return smtputf8 || !addresses.every(isAsciiLocalpart)
}

/**
 * The parameters of MAIL. 8-bit content goes as it is where 8BITMIME is not offered: servers mostly pass it on. An
 * envelope id that the sender chose is kept (RFC 3461 §5.2.1); otherwise it is the FromID, by which we know bounces.
 */
export function mailParameters(request: DeliveryRequest, extensions: Extensions): readonly string[] {
  const [first] = request.messages
  const isUtf8 = needsSmtputf8(request)
  const envelopeId = first?.dsn?.envelopeId ?? first?.fromId ?? ''
  return [
    ...(extensions.has('8BITMIME')
      ? [`BODY=${request.has8bit || request.smtputf8 ? '8BITMIME' : '7BIT'}`]
      : []),
    ...(extensions.has('SIZE') ? [`SIZE=${request.content.length}`] : []),
    ...(isUtf8 ? ['SMTPUTF8'] : []),
    ...(request.requireTls === true ? ['REQUIRETLS'] : []),
    ...(extensions.has('DSN') && first?.dsn?.return ? [`RET=${first.dsn.return}`] : []),
    ...(extensions.has('DSN') && envelopeId !== '' ? [`ENVID=${encodeXtext(envelopeId)}`] : []),
  ]
}

/** The parameters of RCPT (RFC 3461 §5.2.1): what the sender asked for, and nothing where nothing was asked. */
export function rcptParameters({ dsn }: RequestedMessage, extensions: Extensions): readonly string[] {
  if (!dsn || !extensions.has('DSN')) return []
  const { notify, originalRecipient } = dsn
  return [
    ...(notify ? [`NOTIFY=${notify.length > 0 ? notify.join(',') : 'NEVER'}`] : []),
    ...(originalRecipient ? [`ORCPT=${originalRecipientAsSent(originalRecipient)}`] : []),
  ]
}

/** RFC 3461 §4.2: the kind of address is no xtext, the address is. */
function originalRecipientAsSent(originalRecipient: string): string {
  const end = originalRecipient.indexOf(';')
  return `${originalRecipient.slice(0, end)};${encodeXtext(originalRecipient.slice(end + 1))}`
}
