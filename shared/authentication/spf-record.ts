import { type IpAddress, parseIpAddress } from '../address/ip-address.ts'
import { parseDomainSpec, parseMacroString, type SpfMacroString } from './spf-macro.ts'

/** What a domain says about who may send in its name (RFC 7208 §4.6.1). */
export interface SpfRecord {
  /** In their order. */
  readonly directives: readonly SpfDirective[]
  readonly redirect?: SpfMacroString
  readonly explanation?: SpfMacroString
}

/** A mechanism, and what a match means. */
interface SpfDirective {
  readonly result: 'pass' | 'fail' | 'softfail' | 'neutral'
  readonly mechanism: SpfMechanism
  /** As published, without the qualifier. */
  readonly text: string
}

/** RFC 7208 §5; where there is no domain it is the record's own. */
export type SpfMechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'include' | 'exists'; readonly domain: SpfMacroString }
  | ({ readonly kind: 'a' | 'mx'; readonly domain?: SpfMacroString } & SpfPrefixes)
  | { readonly kind: 'ptr'; readonly domain?: SpfMacroString }
  | { readonly kind: 'ip'; readonly network: IpAddress; readonly length: number }

/** How many bits of an address decide. */
export interface SpfPrefixes {
  readonly ip4Length: number
  readonly ip6Length: number
}

/** Other names than `redirect` and `exp` may come any number of times and mean nothing (RFC 7208 §6). */
interface SpfModifier {
  readonly name: string
  readonly value: SpfMacroString
}

/** The record cannot be read; `problem` names the first term that is wrong. */
interface SpfSyntaxProblem {
  readonly problem: string
}

const RESULTS: Readonly<Record<string, SpfDirective['result']>> = {
  '': 'pass',
  '+': 'pass',
  '-': 'fail',
  '~': 'softfail',
  '?': 'neutral',
}

/** Whether the text of a TXT record is meant for SPF at all (RFC 7208 §4.5). */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text)
}

/** Reads a whole record: a mistake anywhere in it makes it void (RFC 7208 §4.6). */
export function parseSpfRecord(text: string): SpfRecord | SpfSyntaxProblem {
  const [, ...terms] = text.split(/ +/)
  const read = terms.filter((term) => term !== '').map(parseTerm)
  const problem = read.find((term) => 'problem' in term)
  if (problem) return problem
  const directives = read.filter((term) => 'mechanism' in term)
  const modifiers = read.filter((term) => 'name' in term)
  const [redirect, secondRedirect] = modifiers.filter(({ name }) => name === 'redirect')
  const [explanation, secondExplanation] = modifiers.filter(({ name }) => name === 'exp')
  const second = secondRedirect ?? secondExplanation
  if (second) return { problem: `two modifiers ${second.name}=` }
  return {
    directives,
    ...(redirect && { redirect: redirect.value }),
    ...(explanation && { explanation: explanation.value }),
  }
}

function parseTerm(term: string): SpfDirective | SpfModifier | SpfSyntaxProblem {
  const [, name, value = ''] = /^([a-z][a-z0-9\-_.]*)=(.*)$/is.exec(term) ?? []
  const read = name === undefined ? parseDirective(term) : parseModifier(name.toLowerCase(), value)
  return read ?? { problem: `syntax error in ${term}` }
}

/** RFC 7208 §6. */
function parseModifier(name: string, text: string): SpfModifier | undefined {
  const value = name === 'redirect' || name === 'exp' ? parseDomainSpec(text) : parseMacroString(text)
  return value && { name, value }
}

function parseDirective(term: string): SpfDirective | undefined {
  const [, qualifier = '', text = '', name = '', rest = ''] =
    /^([-+~?]?)(([a-z0-9]+)(.*))$/is.exec(term) ?? []
  const mechanism = parseMechanism(name.toLowerCase(), rest)
  const result = RESULTS[qualifier]
  return mechanism && result && { result, mechanism, text }
}

function parseMechanism(name: string, rest: string): SpfMechanism | undefined {
  switch (name) {
    case 'all':
      return rest === '' ? { kind: 'all' } : undefined
    case 'include':
    case 'exists': {
      const domain = parseDomain(rest)
      return domain && { kind: name, domain }
    }
    case 'a':
    case 'mx':
      return parseHosts(name, rest)
    case 'ptr': {
      const domain = parseDomain(rest)
      if (rest === '') return { kind: 'ptr' }
      return domain && { kind: 'ptr', domain }
    }
    case 'ip4':
      return parseNetwork(rest, IP4, 32)
    case 'ip6':
      return parseNetwork(rest, IP6, 128)
    default:
      return undefined
  }
}

function parseDomain(rest: string): SpfMacroString | undefined {
  return rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined
}

// A domain-spec may have slashes in it: what looks like a length is one only at the end (RFC 7208 §5.3).
const HOSTS = /^(:.+?)?(?:\/(0|[1-9]\d?))?(?:\/\/(0|[1-9]\d{0,2}))?$/s

function parseHosts(kind: 'a' | 'mx', rest: string): SpfMechanism | undefined {
  const found = HOSTS.exec(rest)
  if (!found) return undefined
  const [, target = '', ip4Length = '32', ip6Length = '128'] = found
  const domain = parseDomain(target)
  if ((target !== '' && !domain) || Number(ip4Length) > 32 || Number(ip6Length) > 128) return undefined
  return { kind, ...(domain && { domain }), ip4Length: Number(ip4Length), ip6Length: Number(ip6Length) }
}

// RFC 7208 §5.6: neither the numbers of an address nor the length may begin with a zero.
const QNUM = '(?:0|[1-9]\\d{0,2})'
const IP4 = new RegExp(`^:(${QNUM}\\.${QNUM}\\.${QNUM}\\.${QNUM})(?:/(0|[1-9]\\d?))?$`)
const IP6 = /^:([0-9a-f.]*:[0-9a-f.:]*)(?:\/(0|[1-9]\d{0,2}))?$/i

function parseNetwork(rest: string, syntax: RegExp, most: number): SpfMechanism | undefined {
  const [, text = '', length = String(most)] = syntax.exec(rest) ?? []
  const network = parseIpAddress(text)
  return network && Number(length) <= most ? { kind: 'ip', network, length: Number(length) } : undefined
}
