import type { KeyObject, X509Certificate } from 'node:crypto'
import { formatInstant, type Instant } from '../base/clock.ts'
import { type Certificate, describeSubject, type NameConstraints, publicKeyOf } from './certificate.ts'

/** A certificate, and how many steps above the server's own it is: 0 is that itself. */
export interface PathStep {
  readonly certificate: Certificate
  readonly height: number
}

/** Where a path may lead, and what it must satisfy. */
export interface PathConditions {
  /** The certificates that the path may use, in any order, foreign ones among them. */
  readonly authorities: readonly Certificate[]
  /** The name that the server's certificate is for, which authorities may be forbidden to certify. */
  readonly name: string
  readonly now: Instant
}

/** RFC 5280 §4.2.1.12: any usage, and TLS servers. */
const ANY_USAGE = '2.5.29.37.0'
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1'

/**
 * Climbs from a certificate to its issuers and theirs (RFC 5280 §6.1), the nearest first, until `isEnd` of one above the
 * start, or says why it cannot. Who is the issuer says its signature, not the order in which certificates were sent.
 */
export function findPath(
  start: PathStep,
  conditions: PathConditions,
  isEnd: (certificate: Certificate) => boolean,
): PathStep | string {
  const reached = new Set([start.certificate])
  const steps = [start]
  const problems: string[] = []
  for (const step of steps) {
    if (step !== start && isEnd(step.certificate)) return step
    const height = step.height + 1
    for (const certificate of conditions.authorities) {
      if (reached.has(certificate) || !isIssuedBy(step.certificate, certificate)) continue
      // The first way here is the shortest: a longer one would not satisfy more.
      reached.add(certificate)
      const problem = whyNoAuthority({ certificate, height }, conditions)
      if (problem === undefined) steps.push({ certificate, height })
      else problems.push(problem)
    }
  }
  return problems[0] ?? `nothing leads from ${describeSubject(start.certificate)} to the trust anchor`
}

/** Why a certificate cannot be of a TLS server now, whoever issued it; undefined where it can. */
export function whyInvalid(certificate: Certificate, now: Instant): string | undefined {
  const { x509, hasUnknownCritical } = certificate
  const subject = describeSubject(certificate)
  if (now < x509.validFromDate.getTime()) {
    return `${subject} is not valid before ${formatInstant(x509.validFromDate.getTime())}`
  }
  if (now > x509.validToDate.getTime()) {
    return `${subject} expired on ${formatInstant(x509.validToDate.getTime())}`
  }
  if (hasUnknownCritical) return `${subject} has a critical extension that is not known`
  // Node calls extended key usage so; no such extension allows all.
  const usages: readonly string[] = x509.keyUsage ?? [ANY_USAGE]
  const isForServers = usages.includes(ANY_USAGE) || usages.includes(SERVER_AUTHENTICATION)
  return isForServers ? undefined : `${subject} is not for TLS servers`
}

function whyNoAuthority(
  { certificate, height }: PathStep,
  { name, now }: PathConditions,
): string | undefined {
  const subject = describeSubject(certificate)
  if (!certificate.x509.ca) return `${subject} is no certificate authority`
  if (height - 1 > certificate.pathLength) return `${subject} allows fewer authorities below itself`
  if (!mayCertify(certificate.nameConstraints, name)) return `${subject} may not certify ${name}`
  return whyInvalid(certificate, now)
}

function mayCertify({ permitted, excluded }: NameConstraints, name: string): boolean {
  // RFC 5280 §4.2.1.10: a name and all below it; some write a dot before it, and an empty one is all names.
  const isWithin = (constraint: string) => {
    const base = constraint.replace(/^\./, '')
    return base === '' || name === base || name.endsWith(`.${base}`)
  }
  return (permitted === undefined || permitted.some(isWithin)) && !excluded.some(isWithin)
}

/** What is known of pairs; every record of a server asks the same, and a hostile one chooses slow keys. */
const judgedPairs = new WeakMap<Certificate, Map<Certificate, boolean>>()

function isIssuedBy(certificate: Certificate, authority: Certificate): boolean {
  const judged = judgedPairs.get(certificate) ?? new Map<Certificate, boolean>()
  judgedPairs.set(certificate, judged)
  const isIssuer = judged.get(authority) ?? judgeIssuer(certificate, authority)
  judged.set(authority, isIssuer)
  return isIssuer
}

function judgeIssuer({ x509 }: Certificate, authority: Certificate): boolean {
  if (!x509.checkIssued(authority.x509)) return false
  const key = publicKeyOf(authority)
  return key !== undefined && isSignedBy(x509, key)
}

/** Whether the key made the certificate's signature, with a hash that still proves something. */
export function isSignedBy(x509: X509Certificate, key: KeyObject): boolean {
  return !hasBrokenHash(x509.signatureAlgorithm) && x509.verify(key)
}

/** Whoever can find collisions can make a certificate of their own out of one (RFC 6151, RFC 9155). */
function hasBrokenHash(algorithm: string | undefined): boolean {
  return /md[245]|sha1(?!\d)/i.test(algorithm ?? '')
}
