import type { Instant } from '../base/clock.ts'
import type { MailCommand } from './commands.ts'
import { parseHoldFor, parseHoldUntil } from './future-release.ts'
import { badParameter, parseParameters, unknownParameter } from './parameters.ts'
import { hasAddressLiteral, isAsciiPath, parsePathArgument, readAddress } from './path.ts'
import type { Refusal } from './refusal.ts'
import { decodeXtext } from './xtext.ts'

/** What decides how MAIL is read. */
export interface MailRules {
  /** Offers DSN and FUTURERELEASE, which are the submitter's to ask for. */
  readonly isSubmission: boolean
  /** REQUIRETLS is offered inside TLS only (RFC 8689 §2). */
  readonly tls: 'none' | 'possible' | 'active'
  /** The largest message, in octets. */
  readonly maxSize: number
  readonly now: Instant
}

type ReadParameter = (value: string | undefined, rules: MailRules) => Partial<MailCommand> | Refusal

const BAD_PATH: Refusal = {
  code: 501,
  enhancedCode: '5.1.7',
  text: 'syntax: MAIL FROM:<address> parameters',
}
const NO_LITERALS: Refusal = {
  code: 550,
  enhancedCode: '5.1.8',
  text: 'an address literal is no address that mail can be returned to',
}
const NEEDS_TLS: Refusal = { code: 523, enhancedCode: '5.7.10', text: 'REQUIRETLS needs TLS' }

/** RFC 6531 §3.5. */
export const NEEDS_SMTPUTF8: Refusal = {
  code: 553,
  enhancedCode: '5.6.7',
  text: 'this address needs SMTPUTF8',
}

/** RFC 1870 §6.1, for the declared size and for the real one. */
export function tooLarge(maxSize: number): Refusal {
  return { code: 552, enhancedCode: '5.3.4', text: `a message has at most ${maxSize} octets` }
}

/** Reads the argument of MAIL (RFC 5321 §4.1.1.2 and the extensions of {@link MailCommand}), or says what is wrong. */
export function parseMail(argument: string, rules: MailRules): MailCommand | Refusal {
  const parts = parsePathArgument('FROM', argument)
  if (!parts) return BAD_PATH
  const address = parts.path === '' ? undefined : readAddress(parts.path)
  if (parts.path !== '' && !address) return hasAddressLiteral(parts.path) ? NO_LITERALS : BAD_PATH
  const parameters = readParameters(parts.parameters, rules)
  if ('code' in parameters) return parameters
  const command = { body: '7BIT' as const, smtputf8: false, requireTls: false, ...parameters }
  if (!command.smtputf8 && !isAsciiPath(parts.path)) return NEEDS_SMTPUTF8
  return { ...command, ...(address && { address }) }
}

function readParameters(text: string, rules: MailRules): Partial<MailCommand> | Refusal {
  const parameters = parseParameters(text)
  if ('code' in parameters) return parameters
  if (parameters.has('HOLDFOR') && parameters.has('HOLDUNTIL')) {
    return badParameter('HOLDFOR and HOLDUNTIL exclude each other')
  }
  let command: Partial<MailCommand> = {}
  for (const [keyword, value] of parameters) {
    const read = ANYWHERE.get(keyword) ?? (rules.isSubmission ? AT_SUBMISSION.get(keyword) : undefined)
    const part = read?.(value, rules) ?? unknownParameter(keyword)
    if ('code' in part) return part
    command = { ...command, ...part }
  }
  return command
}

const ANYWHERE: ReadonlyMap<string, ReadParameter> = new Map<string, ReadParameter>([
  ['SIZE', parseSize],
  ['BODY', parseBody],
  ['SMTPUTF8', (value) => (value === undefined ? { smtputf8: true } : badParameter('SMTPUTF8 has no value'))],
  ['REQUIRETLS', parseRequireTls],
  // RFC 4954 §5: whoever is not trusted to know the submitter may name one; it is ignored.
  ['AUTH', (value) => (decodeXtext(value ?? '') ? {} : badParameter('AUTH must be xtext'))],
])

const AT_SUBMISSION: ReadonlyMap<string, ReadParameter> = new Map<string, ReadParameter>([
  ['HOLDFOR', (value, { now }) => released(parseHoldFor(value, now))],
  ['HOLDUNTIL', (value, { now }) => released(parseHoldUntil(value, now))],
  ['RET', parseReturn],
  ['ENVID', parseEnvelopeId],
])

/** RFC 1870 §3. */
function parseSize(value: string | undefined, { maxSize }: MailRules): Partial<MailCommand> | Refusal {
  if (!/^\d{1,20}$/.test(value ?? '')) return badParameter('SIZE must be 1 to 20 digits')
  const size = Number(value)
  return size > maxSize ? tooLarge(maxSize) : { size }
}

/** RFC 6152; without BINARYMIME (RFC 3030 §3), which no next step could carry. */
function parseBody(value: string | undefined): Partial<MailCommand> | Refusal {
  const body = value?.toUpperCase()
  if (body === '7BIT' || body === '8BITMIME') return { body }
  return body === 'BINARYMIME'
    ? unknownParameter('BODY=BINARYMIME')
    : badParameter('BODY must be 7BIT or 8BITMIME')
}

/** RFC 8689 §4.2. */
function parseRequireTls(value: string | undefined, { tls }: MailRules): Partial<MailCommand> | Refusal {
  if (tls === 'none') return unknownParameter('REQUIRETLS')
  if (tls === 'possible') return NEEDS_TLS
  return value === undefined ? { requireTls: true } : badParameter('REQUIRETLS has no value')
}

function released(futureRelease: MailCommand['futureRelease'] | Refusal): Partial<MailCommand> | Refusal {
  if (futureRelease && 'code' in futureRelease) return futureRelease
  return futureRelease ? { futureRelease } : {}
}

/** RFC 3461 §4.3. */
function parseReturn(value: string | undefined): Partial<MailCommand> | Refusal {
  const wanted = value?.toUpperCase()
  return wanted === 'FULL' || wanted === 'HDRS'
    ? { return: wanted }
    : badParameter('RET must be FULL or HDRS')
}

/** RFC 3461 §4.4: at most 100 characters of xtext. */
function parseEnvelopeId(value: string | undefined): Partial<MailCommand> | Refusal {
  const envelopeId = value !== undefined && value.length <= 100 ? decodeXtext(value) : undefined
  return envelopeId === undefined
    ? badParameter('ENVID must be at most 100 characters of xtext')
    : { envelopeId }
}
