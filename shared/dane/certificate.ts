import { type KeyObject, X509Certificate } from 'node:crypto'
import { type DerElement, readElements } from './der.ts'

/** A certificate (RFC 5280), with what Node does not tell of one. */
export interface Certificate {
  /** As it was sent. */
  readonly der: Uint8Array
  /** The SubjectPublicKeyInfo in it, octet by octet: encoding the key anew could differ. */
  readonly spki: Uint8Array
  readonly x509: X509Certificate
  /** What it may sign below itself: at most so many authorities (RFC 5280 §4.2.1.9); Infinity where it does not say. */
  readonly pathLength: number
  readonly nameConstraints: NameConstraints
  /** It has a critical extension that is not known here, and must not be relied on (RFC 5280 §4.2). */
  readonly hasUnknownCritical: boolean
}

/** RFC 5280 §4.2.1.10, of DNS names: no other kind of name is looked for. */
export interface NameConstraints {
  /** Left out: all names. */
  readonly permitted?: readonly string[]
  readonly excluded: readonly string[]
}

/** Tags of the elements that are looked for. */
const BOOLEAN = 0x01
const VERSION = 0xa0
const EXTENSIONS = 0xa3
const FIRST_IMPLICIT = 0xa0
const DNS_NAME = 0x82
const INTEGER = 0x02

/** Object identifiers below 2.5.29, as DER has them, in hexadecimal. */
const KEY_USAGE = '551d0f'
const SUBJECT_ALTERNATIVE_NAME = '551d11'
const BASIC_CONSTRAINTS = '551d13'
const NAME_CONSTRAINTS = '551d1e'
const CERTIFICATE_POLICIES = '551d20'
const EXTENDED_KEY_USAGE = '551d25'
const known = [
  KEY_USAGE,
  SUBJECT_ALTERNATIVE_NAME,
  BASIC_CONSTRAINTS,
  NAME_CONSTRAINTS,
  CERTIFICATE_POLICIES,
  EXTENDED_KEY_USAGE,
]

/** Undefined for what is no certificate. */
export function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    const x509 = new X509Certificate(der)
    const fields = readElements(readTree(der)[0]?.content ?? new Uint8Array())
    // Version, serial number, signature algorithm, issuer, validity, subject, key (RFC 5280 §4.1); v1 has no version.
    const spki = fields[fields[0]?.tag === VERSION ? 6 : 5]?.whole
    if (spki === undefined) return undefined
    const extensions = readExtensions(fields)
    return {
      der,
      spki,
      x509,
      pathLength: pathLengthOf(extensions.get(BASIC_CONSTRAINTS)?.value),
      nameConstraints: nameConstraintsOf(extensions.get(NAME_CONSTRAINTS)?.value),
      hasUnknownCritical: [...extensions].some(([id, { isCritical }]) => isCritical && !known.includes(id)),
    }
  } catch {
    // Node or our reader; either way it is about the octets.
    return undefined
  }
}

/** Its key; undefined for one of a kind that this Node does not know. */
export function publicKeyOf({ x509 }: Certificate): KeyObject | undefined {
  try {
    return x509.publicKey
  } catch {
    return undefined
  }
}

/** The subject in one line, for people; whoever made the certificate chose it. */
export function describeSubject({ x509 }: Certificate): string {
  const line = (x509.subject ?? '').replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ', ').slice(0, 200)
  return line === '' ? 'a certificate without subject' : `"${line.toWellFormed()}"`
}

interface Extension {
  readonly isCritical: boolean
  readonly value: Uint8Array
}

function readExtensions(fields: readonly DerElement[]): ReadonlyMap<string, Extension> {
  const list = fields.find(({ tag }) => tag === EXTENSIONS)
  if (list === undefined) return new Map()
  return new Map(
    readTree(list.content).map(({ content }) => {
      const [id, ...rest] = readElements(content)
      if (id === undefined) throw new RangeError('an extension without identifier')
      const [first] = rest
      const isCritical = first?.tag === BOOLEAN && first.content[0] !== 0
      const value = rest.at(-1)?.content ?? new Uint8Array()
      return [Buffer.from(id.content).toString('hex'), { isCritical, value }]
    }),
  )
}

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN, pathLenConstraint INTEGER OPTIONAL } */
function pathLengthOf(value: Uint8Array | undefined): number {
  const length = value && readTree(value).find(({ tag }) => tag === INTEGER)
  if (length === undefined) return Number.POSITIVE_INFINITY
  return length.content.reduce((sum, octet) => sum * 256 + octet, 0)
}

/** NameConstraints ::= SEQUENCE { permittedSubtrees [0], excludedSubtrees [1] }, both optional. */
function nameConstraintsOf(value: Uint8Array | undefined): NameConstraints {
  const subtrees = value === undefined ? [] : readTree(value)
  const of = (place: number) =>
    subtrees.filter(({ tag }) => tag === FIRST_IMPLICIT + place).flatMap(dnsNamesOf)
  const [permitted, excluded] = [of(0), of(1)]
  return { ...(permitted.length > 0 && { permitted }), excluded }
}

/** GeneralSubtree ::= SEQUENCE { base GeneralName, … } */
function dnsNamesOf(subtrees: DerElement): readonly string[] {
  const bases = readElements(subtrees.content).flatMap(({ content }) => readElements(content).slice(0, 1))
  return bases
    .filter(({ tag }) => tag === DNS_NAME)
    .map(({ content }) => Buffer.from(content).toString('latin1').toLowerCase())
}

/** The elements of the one sequence that the octets are. */
function readTree(octets: Uint8Array): readonly DerElement[] {
  const [sequence] = readElements(octets)
  if (sequence === undefined) throw new RangeError('an empty value')
  return readElements(sequence.content)
}
