import { isUtf8 } from 'node:buffer'
import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'
import { type Instant, SECOND } from '../base/clock.ts'
import type { Canonicalization } from '../dkim/canonicalization.ts'
import type { DkimResult } from './authentication.ts'
import { isPublicSuffix } from './public-suffix.ts'
import { parseTagList, splitTagValue } from './tag-list.ts'

/** A DKIM-Signature field that could be read (RFC 6376 §3.5). */
export interface DkimSignature {
  /** `rsa-sha256` or `ed25519-sha256`, when nothing is wrong. */
  readonly algorithm: string
  /** d= */
  readonly domain: DomainName
  /** s=, in lower case. */
  readonly selector: string
  readonly header: Canonicalization
  readonly body: Canonicalization
  /** h=, in lower case. */
  readonly signedFields: readonly string[]
  readonly bodyHash: Buffer
  readonly signature: Buffer
  /** b=, without white space. */
  readonly signatureText: string
  /** i=, decoded; `@` and d= where it is left out. */
  readonly identity: string
  readonly identityDomain: DomainName
}

/** Why a signature says nothing, whatever its key says. */
export type DkimProblem = Pick<DkimResult, 'result' | 'problem'>

/** What a DKIM-Signature field says, and what is wrong with it at that time. */
export interface ReadSignature {
  /** Left out where the domains or the selector cannot be read. */
  readonly signature?: DkimSignature
  readonly problem?: DkimProblem
}

const REQUIRED = ['v', 'a', 'b', 'bh', 'd', 'h', 's']
/** Of signatures that we can verify (RFC 8301 §3.1, RFC 8463 §3). */
export const ALGORITHMS: readonly string[] = ['rsa-sha256', 'ed25519-sha256']
const SHA256_OCTETS = 32
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
/** Labels as RFC 6376 §3.1 has them, and underscores, which are in use. */
const SELECTOR = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/
const MAX_SELECTOR = 200
/** As long as those of addresses may be. */
const MAX_LOCALPART = 128

type Tags = ReadonlyMap<string, string>

/** What must be so of each signature, in the order in which it is looked at; the first that is not is the problem. */
const RULES: readonly (readonly [
  result: 'permerror' | 'policy',
  problem: string,
  isBroken: (tags: Tags, signature: DkimSignature, now: Instant) => boolean,
])[] = [
  ['permerror', 'version is not 1', (tags) => tags.get('v') !== '1'],
  // rsa-sha1 counts as no signature (RFC 8301 §3.1).
  ['permerror', 'algorithm is not accepted', (_, { algorithm }) => !ALGORITHMS.includes(algorithm)],
  ['permerror', 'unknown canonicalization', (tags) => !isCanonicalization(tags.get('c'))],
  ['permerror', 'malformed b=', (_, { signatureText }) => !BASE64.test(signatureText)],
  ['permerror', 'malformed bh=', (_, { bodyHash }) => bodyHash.length !== SHA256_OCTETS],
  ['permerror', 'i= is not below d=', (_, { identityDomain, domain }) => !isWithin(identityDomain, domain)],
  ['permerror', 'i= is too long', (_, { identity }) => identity.lastIndexOf('@') > MAX_LOCALPART],
  ['permerror', 'malformed t=', (tags) => !isNumber(tags.get('t'), 12)],
  ['permerror', 'malformed x=', (tags) => !isNumber(tags.get('x'), 12)],
  ['permerror', 'malformed l=', (tags) => !isNumber(tags.get('l'), 76)],
  ['permerror', 'expires before it was made', (tags) => Number(tags.get('x')) < Number(tags.get('t'))],
  ['permerror', 'From is not signed', (_, { signedFields }) => !signedFields.includes('from')],
  ['permerror', 'expired', (tags, _, now) => Number(tags.get('x')) * SECOND < now],
  ['permerror', 'd= is a public suffix', (_, { domain }) => isPublicSuffix(domain)],
  [
    'permerror',
    'unknown query method',
    (tags) => !splitTagValue(tags.get('q') ?? 'dns/txt').includes('dns/txt'),
  ],
  // Whoever passes the message on could add to what is read of it (RFC 6376 §8.2) …
  ['policy', 'the signature is not over the whole body (l=)', (tags) => tags.has('l')],
  // … or say what it is about.
  ['policy', 'Subject is not signed', (_, { signedFields }) => !signedFields.includes('subject')],
]

/** Reads the value of a DKIM-Signature field, each octet as one character. */
export function readSignature(value: string, now: Instant): ReadSignature {
  const tags = parseTagList(readUtf8(value))
  if (!tags) return permanent('malformed tags')
  const missing = REQUIRED.find((name) => !tags.get(name))
  if (missing !== undefined) return permanent(`no ${missing}=`)
  const signature = readTags(tags)
  if (!signature) return permanent('malformed d=, i= or s=')
  const broken = RULES.find(([, , isBroken]) => isBroken(tags, signature, now))
  if (!broken) return { signature }
  const [result, problem] = broken
  return { signature, problem: { result, problem } }
}

function permanent(problem: string): ReadSignature {
  return { problem: { result: 'permerror', problem } }
}

function readTags(tags: Tags): DkimSignature | undefined {
  const value = (name: string) => tags.get(name) ?? ''
  const domain = readDomain(value('d'))
  const identity = tags.has('i') ? decodeQuoted(value('i')) : `@${value('d')}`
  const at = identity.lastIndexOf('@')
  const identityDomain = at < 0 ? undefined : readDomain(identity.slice(at + 1))
  const selector = value('s').toLowerCase()
  if (!domain || !identityDomain || !SELECTOR.test(selector) || selector.length > MAX_SELECTOR)
    return undefined
  const [header = 'simple', body = 'simple'] = (tags.get('c') ?? 'simple').toLowerCase().split('/')
  const signatureText = withoutSpace(value('b'))
  const bodyHash = withoutSpace(value('bh'))
  return {
    algorithm: value('a').toLowerCase(),
    domain,
    selector,
    header: header === 'relaxed' ? 'relaxed' : 'simple',
    body: body === 'relaxed' ? 'relaxed' : 'simple',
    signedFields: splitTagValue(value('h')),
    bodyHash: Buffer.from(BASE64.test(bodyHash) ? bodyHash : '', 'base64'),
    signature: Buffer.from(signatureText, 'base64'),
    signatureText,
    identity: `${identity.slice(0, at)}@${identityDomain}`,
    identityDomain,
  }
}

/** dkim-quoted-printable (RFC 6376 §2.11); white space in it means nothing. */
function decodeQuoted(text: string): string {
  const octets = Buffer.from(withoutSpace(text)).toString('latin1')
  const decoded = octets.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return readUtf8(decoded)
}

function readDomain(text: string): DomainName | undefined {
  try {
    return parseDomainName(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

/** RFC 8616: international names come as UTF-8. */
function readUtf8(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : latin1
}

function withoutSpace(text: string): string {
  return text.replace(/[ \t\r\n]+/g, '')
}

function isCanonicalization(text = 'simple'): boolean {
  return /^(?:simple|relaxed)(?:\/(?:simple|relaxed))?$/i.test(text)
}

/** Left out is fine. */
function isNumber(text: string | undefined, mostDigits: number): boolean {
  return text === undefined || (/^\d+$/.test(text) && text.length <= mostDigits)
}

function isWithin(domain: DomainName, other: DomainName): boolean {
  return domain === other || domain.endsWith(`.${other}`)
}
