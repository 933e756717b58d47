import type { Authentication, DkimResult, DmarcResult, IprevResult, SpfResult } from './authentication.ts'

/** One method's result on its way into the field; left-out and empty parts are not written. */
interface MethodResult {
  readonly method: string
  readonly result: string
  readonly comments?: readonly string[]
  readonly reason?: string
  readonly properties?: readonly (readonly [name: string, value: string | undefined])[]
}

/** Columns at which a line is folded, as RFC 5322 §2.1.1 asks for 78 at most. */
const FOLD_AT = 76
/** Octets of a value; the longest honest one is an address. */
const LONGEST_VALUE = 320
/** As many octets of a signature as tell it from others (RFC 6008 §4). */
const SIGNATURE_PREFIX = 12

/**
 * Writes the Authentication-Results field with its CRLF (RFC 8601 §2.2), each method in a line of its own; `none`
 * where nothing was checked. Names and texts may be strangers': they cannot end the field or add to it.
 */
export function formatAuthenticationResults(
  hostname: string,
  authentication: Authentication | undefined,
  ipAddress: string,
): string {
  const methods = authentication
    ? [
        iprevOf(authentication.iprev, ipAddress),
        ...dkimOf(authentication.dkim),
        spfOf(authentication.spf),
        dmarcOf(authentication.dmarc),
      ].map(formatMethod)
    : ['none']
  return `Authentication-Results: ${formatValue(hostname)};\r\n\t${methods.join(';\r\n\t')}\r\n`
}

/** What DNSSEC vouches for, method by method: the text of a comment in our Received field. */
export function formatDnssecStatus({ iprev, dkim, spf, dmarc }: Authentication): string {
  const methods = [
    ['iprev', iprev] as const,
    ...dkim.map((each) => ['dkim', each] as const),
    ['spf', spf] as const,
    ['dmarc', dmarc] as const,
  ]
  return `dnssec: ${methods.map(([name, { authentic }]) => `${name} ${authentic ? 'yes' : 'no'}`).join(', ')}`
}

function iprevOf({ result, authentic }: IprevResult, ipAddress: string): MethodResult {
  return {
    method: 'iprev',
    result,
    comments: [dnssec(authentic)],
    properties: [['policy.iprev', ipAddress]],
  }
}

function dkimOf(results: readonly DkimResult[]): readonly MethodResult[] {
  if (results.length === 0) return [{ method: 'dkim', result: 'none', reason: 'no dkim signatures' }]
  return results.map((dkim) => ({
    method: 'dkim',
    result: dkim.result,
    // Without a domain nothing was looked up.
    comments: dkim.domain === undefined ? [] : [...keySize(dkim), dnssec(dkim.authentic)],
    reason: dkim.problem,
    properties: [
      ['header.d', dkim.domain],
      ['header.s', dkim.selector],
      ['header.a', dkim.algorithm],
      ['header.b', dkim.signature?.slice(0, SIGNATURE_PREFIX)],
      ['header.i', dkim.identity],
    ],
  }))
}

function keySize({ keyBits }: DkimResult): readonly string[] {
  return keyBits === undefined ? [] : [`${keyBits} bit rsa`]
}

function spfOf({ result, identity, domain, problem, authentic }: SpfResult): MethodResult {
  return {
    method: 'spf',
    result,
    comments: [dnssec(authentic)],
    reason: problem,
    properties: [[identity === 'mailfrom' ? 'smtp.mailfrom' : 'smtp.helo', domain]],
  }
}

function dmarcOf({ result, policy, problem, fromDomain, authentic }: DmarcResult): MethodResult {
  return {
    method: 'dmarc',
    result,
    // Without an author nothing was looked up.
    comments: fromDomain === undefined ? [] : [...policyOf(result, policy), dnssec(authentic)],
    reason: problem,
    properties: [['header.from', fromDomain]],
  }
}

function policyOf(result: DmarcResult['result'], policy: DmarcResult['policy']): readonly string[] {
  return result === 'fail' ? [`policy ${policy}`] : []
}

function dnssec(authentic: boolean): string {
  return authentic ? 'with dnssec' : 'without dnssec'
}

function formatMethod({ method, result, comments = [], reason = '', properties = [] }: MethodResult): string {
  const known = properties.flatMap(([name, value]) => (value ? [`${name}=${formatValue(value)}`] : []))
  return fold([
    `${method}=${result}`,
    ...(comments.length > 0 ? `(${comments.join(', ')})`.split(' ') : []),
    ...(reason === '' ? [] : [`reason=${quote(reason)}`]),
    ...known,
  ])
}

/** Between words only: white space within a quoted string is part of it to some readers. */
function fold(words: readonly string[]): string {
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > FOLD_AT) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\r\n\t')
}

/** RFC 2045 §5.1. */
const TOKEN = /^[!#$%&'*+.^_`{|}~0-9A-Za-z-]+$/
/** RFC 8601 §2.2: `[[local-part] "@"] domain-name`, with a local part of atoms (RFC 5322 §3.2.3). */
const IDENTITY = /^[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]*(?:\.[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]+)*@[A-Za-z0-9.-]+$/

function formatValue(value: string): string {
  const text = plain(value)
  return TOKEN.test(text) || IDENTITY.test(text) ? text : quote(text)
}

function quote(text: string): string {
  return `"${plain(text).replace(/["\\]/g, '\\$&')}"`
}

/** ASCII, as the message may have to go where SMTPUTF8 is unknown; nothing that ends a line. */
function plain(text: string): string {
  return text.slice(0, LONGEST_VALUE).replace(/[^ -~]/g, '?')
}
