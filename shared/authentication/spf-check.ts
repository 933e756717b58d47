import { AddressSyntaxError, parseDomainName } from '../address/domain-name.ts'
import {
  formatIpAddress,
  type IpAddress,
  isInNetwork,
  nibblesOf,
  parseIpAddress,
  unmapIpAddress,
} from '../address/ip-address.ts'
import type { Clock } from '../base/clock.ts'
import type { Resolver } from '../dns/resolver.ts'
import { reverseName } from '../dns/reverse-name.ts'
import type { ClaimedMessage, SpfResult } from './authentication.ts'
import { isSpfError, type SpfError, type SpfFound, type SpfLookups, spfLookups } from './spf-lookups.ts'
import {
  expandMacros,
  parseMacroString,
  type SpfMacroLetter,
  type SpfMacroString,
  targetName,
  usesMacro,
} from './spf-macro.ts'
import { isSpfRecord, parseSpfRecord, type SpfMechanism, type SpfPrefixes } from './spf-record.ts'

/** What SPF needs of the world. */
export interface SpfPorts {
  readonly resolver: Resolver
  /** Bounds the time of the lookups, and tells explanations the time. */
  readonly clock: Clock
  /** Ours, for explanations (RFC 7208 §7.2, `%{r}`). */
  readonly hostname: string
}

/** RFC 7208 §2.6. The explanation of a fail is the domain's own words: printable ASCII, at most 800 characters. */
export interface SpfOutcome extends SpfResult {
  readonly explanation?: string
}

/** What stays the same through includes and redirects. */
interface Evaluation {
  readonly ports: SpfPorts
  readonly client: IpAddress
  /** Where the client's PTR records are. */
  readonly reverseName: string
  readonly sender: { readonly localpart: string; readonly domain: string }
  readonly hello: string
  readonly lookups: SpfLookups
}

/** What check_host() comes to for one domain (RFC 7208 §4). */
interface Verdict extends Pick<SpfResult, 'result' | 'mechanism' | 'problem'> {
  /** Of the record that decided. */
  readonly explainedBy?: { readonly text: SpfMacroString; readonly domain: string }
}

const NOTHING = { mechanism: '', problem: '' }
/** RFC 7208 §4.6.4, of MX and of PTR records. */
const MOST_NAMES = 10
const LONGEST_PROBLEM = 67
const LONGEST_MECHANISM = 128
const LONGEST_EXPLANATION = 800

/**
 * Says whether the client may send in the name of the message's reverse-path, or of its own EHLO name where that is null
 * (RFC 7208 §2.4). The explanation's lookups count towards no limit and not for `authentic`. Throws a TypeError where the
 * client's address is none.
 */
export async function checkSpf(
  ports: SpfPorts,
  { client, mailFrom }: Pick<ClaimedMessage, 'client' | 'mailFrom'>,
): Promise<SpfOutcome> {
  const hello = readDomain(client.hello) ?? client.hello
  const domain = readDomain(mailFrom?.domain ?? hello)
  const claim = {
    identity: mailFrom ? 'mailfrom' : 'helo',
    domain: domain ?? mailFrom?.domain ?? hello,
  } as const
  if (domain === undefined) return { ...claim, ...NOTHING, result: 'none', authentic: false }
  const address = parseIpAddress(client.ipAddress)
  if (!address) throw new TypeError(`the client's address is no IP address: ${client.ipAddress}`)
  const unmapped = unmapIpAddress(address)
  const startedAt = ports.clock.now()
  const evaluation: Evaluation = {
    ports,
    client: unmapped,
    reverseName: reverseName(formatIpAddress(unmapped)) ?? '',
    sender: { localpart: mailFrom?.localpart || 'postmaster', domain },
    hello,
    lookups: spfLookups(ports, startedAt),
  }
  const { result, mechanism, problem, explainedBy } = await checkHost(evaluation, domain)
  const lookups = spfLookups(ports, startedAt)
  const explanation = explainedBy && (await explain({ ...evaluation, lookups }, explainedBy))
  return {
    ...claim,
    result,
    mechanism: shorten(mechanism, LONGEST_MECHANISM),
    problem: shorten(problem, LONGEST_PROBLEM),
    authentic: evaluation.lookups.isAuthentic(),
    ...(explanation && { explanation }),
  }
}

/** RFC 7208 §4. */
async function checkHost(evaluation: Evaluation, domain: string): Promise<Verdict> {
  if (!domain.includes('.')) return { ...NOTHING, result: 'none' }
  const texts = await evaluation.lookups.lookUp('TXT', domain)
  if (isSpfError(texts)) return { ...texts, mechanism: '' }
  const [published, ...others] = texts.filter(isSpfRecord)
  if (published === undefined) return { ...NOTHING, result: 'none' }
  if (others.length > 0) return { ...permerror(`several SPF records at ${domain}`), mechanism: '' }
  const record = parseSpfRecord(published)
  if ('problem' in record) return { ...permerror(record.problem), mechanism: '' }

  for (const { mechanism, text, result } of record.directives) {
    const matches = await doesMatch(evaluation, mechanism, domain)
    if (isSpfError(matches)) return { ...matches, mechanism: text }
    if (!matches) continue
    const explainedBy = result === 'fail' && record.explanation && { text: record.explanation, domain }
    return { result, mechanism: text, problem: '', ...(explainedBy && { explainedBy }) }
  }
  return record.redirect ? redirect(evaluation, record.redirect, domain) : { ...NOTHING, result: 'neutral' }
}

/** RFC 7208 §6.1. */
async function redirect(evaluation: Evaluation, to: SpfMacroString, domain: string): Promise<Verdict> {
  const tooMany = evaluation.lookups.count()
  if (tooMany) return { ...tooMany, mechanism: '' }
  const target = await expandTarget(evaluation, to, domain)
  if (isSpfError(target)) return { ...target, mechanism: '' }
  if (target === undefined) return { ...NOTHING, result: 'neutral' }
  const verdict = await checkHost(evaluation, target)
  return verdict.result === 'none' ? { ...noRecord(target), mechanism: '' } : verdict
}

/** RFC 7208 §5. */
async function doesMatch(
  evaluation: Evaluation,
  mechanism: SpfMechanism,
  domain: string,
): Promise<boolean | SpfError> {
  if (mechanism.kind === 'all') return true
  if (mechanism.kind === 'ip') return isInNetwork(evaluation.client, mechanism.network, mechanism.length)
  const tooMany = evaluation.lookups.count()
  if (tooMany) return tooMany
  const target = mechanism.domain ? await expandTarget(evaluation, mechanism.domain, domain) : domain
  if (isSpfError(target)) return target
  if (target === undefined) return false
  if (mechanism.kind === 'include') return isIncluded(evaluation, target)
  if (target === '') return false
  switch (mechanism.kind) {
    case 'a':
      return isHost(evaluation, mechanism, target)
    case 'mx':
      return isMailExchange(evaluation, mechanism, target)
    case 'ptr':
      return isNamedWithin(evaluation, target)
    case 'exists': {
      const found = await evaluation.lookups.lookUpForTerm('A', target)
      return isSpfError(found) ? found : found.length > 0
    }
  }
}

/** RFC 7208 §5.2. */
async function isIncluded(evaluation: Evaluation, target: string): Promise<boolean | SpfError> {
  const { result, problem } = await checkHost(evaluation, target)
  if (result === 'none') return noRecord(target)
  return result === 'temperror' || result === 'permerror' ? { result, problem } : result === 'pass'
}

/** RFC 7208 §5.3. */
async function isHost(
  evaluation: Evaluation,
  prefixes: SpfPrefixes,
  target: string,
): Promise<boolean | SpfError> {
  const found = await evaluation.lookups.lookUpForTerm(addressType(evaluation), target)
  return isSpfError(found) ? found : isAmong(evaluation.client, found, prefixes)
}

/** RFC 7208 §5.4. A host without addresses is no void lookup: the number of hosts is bounded as it is. */
async function isMailExchange(
  evaluation: Evaluation,
  prefixes: SpfPrefixes,
  target: string,
): Promise<boolean | SpfError> {
  const found = await evaluation.lookups.lookUpForTerm('MX', target)
  if (isSpfError(found)) return found
  const hosts = found
    .toSorted((one, other) => one.preference - other.preference)
    .map(({ exchange }) => exchange)
    .filter((exchange) => exchange !== '' && exchange !== '.')
  for (const host of hosts.slice(0, MOST_NAMES)) {
    const addresses = await evaluation.lookups.lookUp(addressType(evaluation), host)
    if (isSpfError(addresses)) return addresses
    if (isAmong(evaluation.client, addresses, prefixes)) return true
  }
  return hosts.length > MOST_NAMES ? permerror(`more than ${MOST_NAMES} MX records at ${target}`) : false
}

/** RFC 7208 §5.5. Names outside of the target cannot match, so they are not looked up. */
async function isNamedWithin(evaluation: Evaluation, target: string): Promise<boolean | SpfError> {
  const names = forgive(await evaluation.lookups.lookUpForTerm('PTR', evaluation.reverseName))
  if (isSpfError(names)) return names
  const candidates = names.slice(0, MOST_NAMES).filter((name) => nearness(name, target) > 0)
  const name = await findValidated(evaluation, candidates)
  return isSpfError(name) ? name : name !== undefined
}

/** The first of the names that leads back to the client. */
async function findValidated(
  evaluation: Evaluation,
  names: readonly string[],
): Promise<string | undefined | SpfError> {
  for (const name of names) {
    const addresses = forgive(await evaluation.lookups.lookUp(addressType(evaluation), name))
    if (isSpfError(addresses)) return addresses
    if (isAmong(evaluation.client, addresses, { ip4Length: 32, ip6Length: 128 })) return name
  }
  return undefined
}

/** How well a name stands for a domain: 2 is itself, 1 below it, 0 elsewhere. */
function nearness(name: string, domain: string): number {
  const [lower, target] = [name.toLowerCase(), domain.toLowerCase()]
  if (lower === target) return 2
  return lower.endsWith(`.${target}`) ? 1 : 0
}

/** RFC 7208 §5.5: names that cannot be looked up are passed over. */
function forgive<Type extends 'A' | 'AAAA' | 'PTR'>(found: SpfFound<Type>): SpfFound<Type> {
  return isSpfError(found) && !found.isLimit ? [] : found
}

/** Where a domain-spec leads, `''` for no name of the DNS; undefined where it leads nowhere for this sender. */
async function expandTarget(
  evaluation: Evaluation,
  spec: SpfMacroString,
  domain: string,
): Promise<string | undefined | SpfError> {
  const text = await expand(evaluation, spec, domain)
  return typeof text === 'string' ? targetName(text) : text
}

/** RFC 7208 §7. */
async function expand(
  evaluation: Evaluation,
  text: SpfMacroString,
  domain: string,
): Promise<string | undefined | SpfError> {
  const name = usesMacro(text, 'p') ? await findClientName(evaluation, domain) : ''
  if (isSpfError(name)) return name
  return expandMacros(text, (letter) => macroValue(evaluation, letter, domain, name))
}

/** RFC 7208 §7.3, `%{p}`: the nearest name to the domain that leads back to the client. */
async function findClientName(evaluation: Evaluation, domain: string): Promise<string | SpfError> {
  const tooMany = evaluation.lookups.count()
  if (tooMany) return tooMany
  const names = forgive(await evaluation.lookups.lookUpForTerm('PTR', evaluation.reverseName))
  if (isSpfError(names)) return names
  const nearestFirst = names
    .slice(0, MOST_NAMES)
    .toSorted((one, other) => nearness(other, domain) - nearness(one, domain))
  return (await findValidated(evaluation, nearestFirst)) ?? 'unknown'
}

/** RFC 7208 §7.3; an IPv6 address is written in the nibbles of §7.4. */
function macroValue(evaluation: Evaluation, letter: SpfMacroLetter, domain: string, name: string): string {
  const { client, sender, hello, ports } = evaluation
  switch (letter) {
    case 's':
      return `${sender.localpart}@${sender.domain}`
    case 'l':
      return sender.localpart
    case 'o':
      return sender.domain
    case 'd':
      return domain
    case 'i':
      return client.version === 4 ? formatIpAddress(client) : nibblesOf(client.groups).join('.').toUpperCase()
    case 'p':
      return name
    case 'v':
      return client.version === 4 ? 'in-addr' : 'ip6'
    case 'h':
      return hello
    case 'c':
      return formatIpAddress(client)
    case 'r':
      return ports.hostname
    case 't':
      return String(Math.floor(ports.clock.now() / 1000))
  }
}

/** RFC 7208 §6.2: whatever is wrong with an explanation, there is none. */
async function explain(
  evaluation: Evaluation,
  { text, domain }: NonNullable<Verdict['explainedBy']>,
): Promise<string | undefined> {
  const target = await expandTarget(evaluation, text, domain)
  if (typeof target !== 'string' || target === '') return undefined
  const texts = await evaluation.lookups.lookUp('TXT', target)
  if (isSpfError(texts) || texts.length !== 1) return undefined
  const explanation = parseMacroString(texts[0] ?? '')
  const expanded = explanation && (await expand(evaluation, explanation, domain))
  return typeof expanded === 'string' ? expanded.slice(0, LONGEST_EXPLANATION) : undefined
}

/** The domain in lower case and A-labels (RFC 8616 §4); undefined for what is none, one label or an IP address. */
function readDomain(text: string): string | undefined {
  const domain = /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase().replace(/\.$/, '') : toALabels(text)
  // Underscores are no host names', but some clients greet with them.
  const isDomain = /^(?:[a-z0-9_-]{1,63}\.)+(?=[^.]*[a-z])[a-z0-9-]{1,63}$/.test(domain)
  return isDomain && domain.length <= 253 ? domain : undefined
}

function toALabels(text: string): string {
  try {
    return parseDomainName(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return ''
    throw error
  }
}

function addressType({ client }: Evaluation): 'A' | 'AAAA' {
  return client.version === 4 ? 'A' : 'AAAA'
}

function isAmong(client: IpAddress, addresses: readonly string[], prefixes: SpfPrefixes): boolean {
  const length = client.version === 4 ? prefixes.ip4Length : prefixes.ip6Length
  return addresses.some((text) => {
    const network = parseIpAddress(text)
    return network !== undefined && isInNetwork(client, network, length)
  })
}

function noRecord(target: string): SpfError {
  return permerror(`no SPF record at ${target || 'what is no domain name'}`)
}

function permerror(problem: string): SpfError {
  return { result: 'permerror', problem }
}

/** Safe for header fields: printable ASCII. */
function shorten(text: string, most: number): string {
  const printable = text.slice(0, most + 1).replace(/[^ -~]/g, '?')
  return printable.length > most ? `${printable.slice(0, most - 3)}...` : printable
}
