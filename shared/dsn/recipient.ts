import { oneLine } from './one-line.ts'

const ACTIONS = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const

/** RFC 3464 §2.3.3; `unknown` is any other word, or none where nothing else tells. */
type DsnAction = (typeof ACTIONS)[number] | 'unknown'

/** What a notification says about one recipient. Texts are bounded lines; empty means not told. */
export interface DsnRecipient {
  /** An addr-spec as the reporter wrote it; empty for addresses that are no mail addresses (X.400). */
  readonly finalRecipient: string
  /** What the sender had written (RFC 3461 §4.2), in the same form. */
  readonly originalRecipient: string
  readonly action: DsnAction
  /** RFC 3463, such as `5.1.1`; where missing, derived from the reply or the action. */
  readonly status: string
  /** The SMTP reply code; 400 or 500 where only the status tells, 0 where nothing does. */
  readonly code: number
  /** Of the same class as `code`; empty if none was given. */
  readonly enhancedCode: string
  /** The text of the Diagnostic-Code, without its type. */
  readonly diagnostic: string
  readonly remoteMta: string
}

/** What a bounce says, before codes are read and gaps are closed. */
export interface RecipientClaim {
  readonly finalRecipient: string
  readonly originalRecipient?: string
  /** The word as written; empty if there is none. */
  readonly action: string
  readonly status?: string
  readonly diagnostic: string
  /** The part of the diagnostic that is an SMTP reply. */
  readonly reply: string
  readonly remoteMta?: string
  /** The reporter goes on trying. */
  readonly willRetry?: boolean
}

const MAX_DIAGNOSTIC = 1000

/** Reads the codes. A missing status or action is taken from the other one where that leaves no doubt. */
export function describeRecipient(claim: RecipientClaim): DsnRecipient {
  const reply = readReplyCodes(claim.reply)
  const given = readStatus(claim.status ?? '')
  const word = ACTIONS.find((action) => action === claim.action.toLowerCase())
  const status = given || reply.enhancedCode || classStatus(reply.code) || STATUS_OF_ACTION[word ?? 'unknown']
  return {
    finalRecipient: claim.finalRecipient,
    originalRecipient: claim.originalRecipient ?? '',
    action: word ?? (claim.action === '' ? actionOf(status, claim.willRetry) : 'unknown'),
    status,
    ...(reply.code === 0 ? codesOfStatus(status) : withEnhancedCode(reply, given)),
    diagnostic: oneLine(claim.diagnostic.replace(/\s+/g, ' '), MAX_DIAGNOSTIC),
    remoteMta: claim.remoteMta ?? '',
  }
}

interface Codes {
  readonly code: number
  readonly enhancedCode: string
}

/**
 * The codes may be parted by a space or, in the lines of a longer reply, by a hyphen; some servers write a hash
 * or a bracket before the second. It counts only if its class is that of the first (RFC 2034 §4).
 */
const REPLY = /^\s*(([245])\d\d)(?=[\s:;,-]|$)(?:[\s:-]+[#[(]?(\2\.\d{1,3}\.\d{1,3})(?!\.*\d))?/

function readReplyCodes(reply: string): Codes {
  const [, code = '0', , enhancedCode = ''] = REPLY.exec(reply) ?? []
  return { code: Number(code), enhancedCode }
}

/** Comments, and text in the place of one, may follow (RFC 3464 §2.3.4). */
function readStatus(text: string): string {
  return /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.*\d)/.exec(text)?.[0] ?? ''
}

const STATUS_OF_ACTION: Readonly<Record<DsnAction, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
  expanded: '2.0.0',
  unknown: '',
}

function classStatus(code: number): string {
  return code === 0 ? '' : `${Math.floor(code / 100)}.0.0`
}

/** A 4.x.x accompanies delays and, after the last attempt, failures too; a 2.x.x any of the three successes. */
function actionOf(status: string, willRetry = false): DsnAction {
  if (status.startsWith('5')) return 'failed'
  return status.startsWith('4') && willRetry ? 'delayed' : 'unknown'
}

function codesOfStatus(status: string): Codes {
  return /^[45]/.test(status)
    ? { code: Number(status.charAt(0)) * 100, enhancedCode: status }
    : { code: 0, enhancedCode: '' }
}

function withEnhancedCode({ code, enhancedCode }: Codes, status: string): Codes {
  const isSameClass = status.startsWith(String(code).charAt(0))
  return { code, enhancedCode: enhancedCode || (isSameClass ? status : '') }
}
