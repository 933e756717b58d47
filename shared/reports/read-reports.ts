import { createHash } from 'node:crypto'
import type { Options } from '../account/options.ts'
import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'
import type { Authentication, DkimResult } from '../authentication/authentication.ts'
import { authorDomains } from '../authentication/author-domains.ts'
import { isKeyFor } from '../authentication/dkim-key.ts'
import { organizationalDomain } from '../authentication/public-suffix.ts'
import { type Instant, MINUTE } from '../base/clock.ts'
import { attachedReport } from './attached-report.ts'
import { type ReadDmarcPorts, readDmarcReport } from './dmarc-report.ts'
import type { Report, ReportKind, ReportSummary } from './report.ts'
import { ReportError } from './report-error.ts'
import { readTlsReport, type TlsPolicy, tlsDetails } from './tls-report.ts'

/** A message that came to an address for reports. */
export interface ReportMessage {
  readonly content: Uint8Array
  /** Left out where senders are not checked, and believed. */
  readonly authentication?: Authentication
  readonly receivedAt: Instant
}

/** Reports are about time that is over; clocks differ by so much. */
const CLOCK_DIFFERENCE_MS = MINUTE

/** The reports in a message, one for each domain of ours that it is about; throws {@link ReportError}. */
export async function readReports(
  ports: ReadDmarcPorts,
  options: Options,
  kind: ReportKind,
  message: ReportMessage,
): Promise<readonly Report[]> {
  const reports =
    kind === 'dmarc' ? [await readDmarc(ports, options, message)] : await readTls(options, message)
  const latest = message.receivedAt + CLOCK_DIFFERENCE_MS
  if (reports.some(({ endAt }) => endAt > latest)) throw new ReportError('report has end date in the future')
  return reports
}

async function readDmarc(ports: ReadDmarcPorts, options: Options, message: ReportMessage): Promise<Report> {
  const { content, authentication, receivedAt } = message
  if (authentication && authentication.dmarc.result !== 'pass') throw new ReportError('no DMARC pass')
  const sender = authentication?.dmarc.fromDomain ?? authorDomains(content)[0] ?? ''
  const { policyDomain, details, ...report } = await readDmarcReport(
    ports,
    await attachedReport('dmarc', content),
  )
  const domain = readDomain(policyDomain)
  if (!domain) throw new ReportError('could not parse domain in published policy')
  if (!Object.hasOwn(options.domains, domain)) throw new ReportError('published policy domain unrecognized')
  return { kind: 'dmarc', domain, sender, receivedAt, ...report, digest: digestOf(sender, report), details }
}

async function readTls(options: Options, message: ReportMessage): Promise<readonly Report[]> {
  const { content, receivedAt } = message
  const sender = tlsSender(message)
  const report = readTlsReport(await attachedReport('tls', content))
  const byDomain = new Map<DomainName, TlsPolicy[]>()
  for (const policy of report.policies) {
    const domain = readDomain(policy.domain)
    if (!domain || !isOurs(options, domain)) continue
    const known = byDomain.get(domain)
    if (known) known.push(policy)
    else byDomain.set(domain, [policy])
  }
  if (byDomain.size === 0) throw new ReportError('report for unknown domain')
  const { organization, reportId, beginAt, endAt } = report
  const facts = { sender, organization, reportId, beginAt, endAt, receivedAt }
  return [...byDomain].map(([domain, policies]) => ({
    kind: 'tls',
    domain,
    ...facts,
    digest: digestOf(sender, report),
    passed: sum(policies.map(({ succeeded }) => succeeded)),
    failed: sum(policies.map(({ failed }) => failed)),
    details: tlsDetails(report, policies),
  }))
}

/** RFC 8460 §3: the author's domain, or one above it of the same owner, signs the report with a key that may do so. */
function tlsSender({ content, authentication }: ReportMessage): DomainName | '' {
  const [author, other] = authorDomains(content)
  if (!authentication) return author ?? ''
  const signer = author && !other && authentication.dkim.find((signature) => signsFor(author, signature))
  if (!signer) throw new ReportError('no acceptable DKIM signature')
  return signer.domain as DomainName
}

/** A signature that is right may yet be no pass, as its key is not for mail but for reports only. */
function signsFor(author: DomainName, { result, domain, services }: DkimResult): boolean {
  const isRight = result === 'pass' || services !== undefined
  if (!isRight || domain === undefined || !isKeyFor(services ? { services } : {}, 'tlsrpt')) return false
  if (author === domain) return true
  const isAbove = author.endsWith(`.${domain}`)
  return isAbove && organizationalDomain(author) === organizationalDomain(domain as DomainName)
}

function isOurs({ domains, hostname }: Options, domain: DomainName): boolean {
  return Object.hasOwn(domains, domain) || domain === hostname
}

function readDomain(text: string): DomainName | undefined {
  try {
    return parseDomainName(text.replace(/\.$/, ''))
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

/** RFC 7489 §7.2.1.1, RFC 8460 §5.6: the reporter's name and the report's ID tell a repetition. */
function digestOf(sender: string, { reportId }: Pick<ReportSummary, 'reportId'>): string {
  return createHash('sha256')
    .update(JSON.stringify([sender, reportId]))
    .digest('base64url')
    .slice(0, 16)
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, each) => total + each, 0)
}
