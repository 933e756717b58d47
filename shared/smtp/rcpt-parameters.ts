import type { Address } from '../address/address.ts'
import type { RcptCommand } from './commands.ts'
import { NEEDS_SMTPUTF8 } from './mail-parameters.ts'
import { badParameter, parseParameters, unknownParameter } from './parameters.ts'
import { hasAddressLiteral, isAsciiPath, parsePathArgument, readAddress } from './path.ts'
import type { Refusal } from './refusal.ts'
import { decodeXtext } from './xtext.ts'

/** What decides how RCPT is read. */
export interface RcptRules {
  /** Offers DSN. */
  readonly isSubmission: boolean
  /** Where the postmaster of no domain is (RFC 5321 §4.5.1). */
  readonly hostname: string
  /** What MAIL said. */
  readonly smtputf8: boolean
}

type Notify = NonNullable<RcptCommand['notify']>[number]

const BAD_PATH: Refusal = { code: 501, enhancedCode: '5.1.3', text: 'syntax: RCPT TO:<address> parameters' }
const NO_LITERALS: Refusal = {
  code: 550,
  enhancedCode: '5.1.1',
  text: 'there is no mailbox at an address literal',
}

/** Reads the argument of RCPT (RFC 5321 §4.1.1.3, RFC 3461 §4.1, §4.2), or says what is wrong. */
export function parseRcpt(argument: string, rules: RcptRules): RcptCommand | Refusal {
  const parts = parsePathArgument('TO', argument)
  if (!parts) return BAD_PATH
  const address = readRecipient(parts.path, rules.hostname)
  if (!address) return hasAddressLiteral(parts.path) ? NO_LITERALS : BAD_PATH
  const parameters = parseParameters(parts.parameters)
  if ('code' in parameters) return parameters
  if (!rules.smtputf8 && !isAsciiPath(parts.path)) return NEEDS_SMTPUTF8
  let command: RcptCommand = { address }
  for (const [keyword, value] of parameters) {
    const part = (rules.isSubmission && PARAMETERS.get(keyword)?.(value)) || unknownParameter(keyword)
    if ('code' in part) return part
    command = { ...command, ...part }
  }
  return command
}

function readRecipient(path: string, hostname: string): Address | undefined {
  return readAddress(path.toLowerCase() === 'postmaster' ? `${path}@${hostname}` : path)
}

const PARAMETERS: ReadonlyMap<string, (value: string | undefined) => Partial<RcptCommand> | Refusal> =
  new Map([
    ['NOTIFY', parseNotify],
    ['ORCPT', parseOriginalRecipient],
  ])

function parseNotify(value = ''): Partial<RcptCommand> | Refusal {
  const words = value.toUpperCase().split(',')
  if (words.length === 1 && words[0] === 'NEVER') return { notify: [] }
  return words.every(isNotify)
    ? { notify: [...new Set(words)] }
    : badParameter('NOTIFY must be NEVER, or of SUCCESS, FAILURE, DELAY')
}

function isNotify(word: string): word is Notify {
  return word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY'
}

/** At most 500 characters (RFC 3461 §4.2): the kind of address, and the address in xtext. */
function parseOriginalRecipient(value = ''): Partial<RcptCommand> | Refusal {
  const [, kind, text] = /^([a-z0-9!#$%&'*/?^_`{|}~-]+);(.+)$/i.exec(value.slice(0, 501)) ?? []
  const decoded = text && decodeXtext(text)
  return value.length <= 500 && kind && decoded
    ? { originalRecipient: `${kind};${decoded}` }
    : badParameter('ORCPT must be a kind of address, a semicolon and xtext, at most 500 characters')
}
