import { createPublicKey } from 'node:crypto'
import type { Instant } from '../base/clock.ts'
import type { TlsAssociation } from '../dns/resolver.ts'
import { type Certificate, readCertificate } from './certificate.ts'
import { findPath, isSignedBy, type PathStep, whyInvalid } from './certification-path.ts'
import {
  DANE_EE,
  DANE_TA,
  describeTlsa,
  isWholeCertificate,
  isWholeKey,
  matches,
  PKIX_EE,
  smtpUsages,
  whyUnusable,
} from './tlsa.ts'

/** What a server's certificate is held against. */
export interface DaneChecks {
  /** In A-labels and lower case; the certificate must be for one of them, except where DANE-EE matches it. */
  readonly names: readonly string[]
  readonly now: Instant
  /** The usages that count; those of SMTP where this is left out. */
  readonly usages?: readonly number[]
  /** Certificates (DER) that the PKIX usages trust; none where this is left out. */
  readonly roots?: readonly Uint8Array[]
}

/** What TLSA records say of a server. */
export type DaneResult =
  /** The server is who the records say; the first of them that says so. */
  | { readonly kind: 'verified'; readonly record: TlsAssociation }
  /** No record can be used: TLS is demanded still, but nothing tells who the server is (RFC 7672 §2.2). */
  | { readonly kind: 'unauthenticated'; readonly reason: string }
  | { readonly kind: 'no-match'; readonly reason: string }

/** More than any server needs; it bounds how long a hostile one keeps us busy. */
const MOST_CERTIFICATES = 20
const MOST_RECORDS = 50
const MOST_REASONS = 4

const ANOTHER = 'the server has another certificate'

/**
 * Checks a server's certificates (DER) against its TLSA records (RFC 7672 §3, RFC 7671 §5). The first of the chain is
 * the server's own, as TLS demands; the others may come in any order, and foreign ones among them are passed over.
 */
export function verifyDane(
  records: readonly TlsAssociation[],
  chain: readonly Uint8Array[],
  checks: DaneChecks,
): DaneResult {
  const judged = records.map((record) => ({
    record,
    problem: whyUnusable(record, checks.usages ?? smtpUsages),
  }))
  const usable = judged.filter(({ problem }) => problem === undefined).map(({ record }) => record)
  if (usable.length === 0) {
    return { kind: 'unauthenticated', reason: reasonOf('there is no TLSA record', judged) }
  }
  const [own, ...others] = chain.slice(0, MOST_CERTIFICATES).map(readCertificate)
  if (own === undefined) return { kind: 'no-match', reason: "the server's certificate cannot be read" }
  const server: Server = {
    own,
    others: others.filter(isReadable),
    roots: (checks.roots ?? []).map(readCertificate).filter(isReadable),
    checks,
  }
  const failed: Judged[] = []
  for (const record of usable.slice(0, MOST_RECORDS)) {
    const problem = whyNoMatch(record, server)
    if (problem === undefined) return { kind: 'verified', record }
    failed.push({ record, problem })
  }
  return { kind: 'no-match', reason: reasonOf('no TLSA record matches', failed) }
}

interface Judged {
  readonly record: TlsAssociation
  readonly problem: string | undefined
}

/** What a server presented, and what it is held against. */
interface Server {
  readonly own: Certificate
  readonly others: readonly Certificate[]
  readonly roots: readonly Certificate[]
  readonly checks: DaneChecks
}

function isReadable(certificate: Certificate | undefined): certificate is Certificate {
  return certificate !== undefined
}

function reasonOf(otherwise: string, judged: readonly Judged[]): string {
  const reasons = [...new Set(judged.map(({ record, problem }) => `${describeTlsa(record)}: ${problem}`))]
  const more = reasons.length > MOST_REASONS ? [`and ${reasons.length - MOST_REASONS} more`] : []
  return [...reasons.slice(0, MOST_REASONS), ...more].join('; ') || otherwise
}

/** Undefined where the record says that the server is the right one. */
function whyNoMatch(record: TlsAssociation, server: Server): string | undefined {
  const { own, checks } = server
  const isOwn = matches(record, own)
  // RFC 7672 §3.1.1: neither names nor dates matter; the record itself says whose the key is, and for how long.
  if (record.usage === DANE_EE) return isOwn ? undefined : ANOTHER
  if (record.usage === PKIX_EE && !isOwn) return ANOTHER
  // RFC 7672 §3.2.3: a wildcard is a whole label, the first.
  const names = checks.names.filter((name) => own.x509.checkHost(name, { partialWildcards: false }))
  if (names.length === 0) return `the server's certificate is not for ${checks.names.join(' or ')}`
  const problem = whyInvalid(own, checks.now)
  if (problem !== undefined) return problem
  const whyNoPath = record.usage === DANE_TA ? whyNoPathToAnchor : whyNoPathToRoot
  const problems = names.map((name) => whyNoPath(record, server, name))
  return problems.includes(undefined) ? undefined : problems[0]
}

/** DANE-TA: the record says which authority is to be trusted, and may bring it along (RFC 7671 §5.2). */
function whyNoPathToAnchor(record: TlsAssociation, server: Server, name: string): string | undefined {
  const { own, others, checks } = server
  const brought = isWholeCertificate(record) ? [readCertificate(record.data)].filter(isReadable) : []
  const conditions = { authorities: [...others, ...brought], name, now: checks.now }
  const start = { certificate: own, height: 0 }
  const isAnchor = (certificate: Certificate) => matches(record, certificate)
  if (conditions.authorities.some(isAnchor)) return problemOf(findPath(start, conditions, isAnchor))
  if (!isWholeKey(record)) return 'the server sent no such authority'
  const key = createPublicKey({ key: Buffer.from(record.data), format: 'der', type: 'spki' })
  const isSigned = ({ x509 }: Certificate) => isSignedBy(x509, key)
  return isSigned(own) ? undefined : problemOf(findPath(start, conditions, isSigned))
}

/** The PKIX usages: a root that we trust anyway, and PKIX-TA wants the path to it to lead through one authority. */
function whyNoPathToRoot(record: TlsAssociation, server: Server, name: string): string | undefined {
  const { own, others, roots, checks } = server
  const conditions = { authorities: [...others, ...roots], name, now: checks.now }
  const isRoot = ({ der }: Certificate) => roots.some((root) => Buffer.from(root.der).equals(der))
  const whyNoRoot = (from: PathStep) =>
    isRoot(from.certificate) ? undefined : problemOf(findPath(from, conditions, isRoot))
  const start = { certificate: own, height: 0 }
  if (record.usage === PKIX_EE) return whyNoRoot(start)
  // One key may have several certificates, of different issuers.
  const named = conditions.authorities.filter((certificate) => matches(record, certificate))
  const problems = named.map((each) => {
    const through = findPath(start, conditions, (certificate) => certificate === each)
    return typeof through === 'string' ? through : whyNoRoot(through)
  })
  if (problems.length === 0) return 'neither the server sent such an authority, nor is it trusted here'
  return problems.includes(undefined) ? undefined : problems[0]
}

function problemOf(path: PathStep | string): string | undefined {
  return typeof path === 'string' ? path : undefined
}
