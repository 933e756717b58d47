import type { DomainName } from '../address/domain-name.ts'
import type { Instant } from '../base/clock.ts'
import type { DmarcDetails } from './dmarc-report.ts'
import type { TlsDetails } from './tls-report.ts'

/** DMARC aggregate reports (RFC 7489 §7.2) and reports about TLS (RFC 8460). */
export type ReportKind = 'dmarc' | 'tls'

/** What one report tells about one domain, in a line. */
export interface ReportSummary {
  /** The domain of ours that it is about, or the server's own name. */
  readonly domain: DomainName
  /** Names the report among those of its kind and domain together with {@link endAt}. */
  readonly digest: string
  /** The domain that sent it; without sender checks it says so itself. */
  readonly sender: string
  /** How the reporter calls itself. */
  readonly organization: string
  readonly reportId: string
  readonly beginAt: Instant
  readonly endAt: Instant
  readonly receivedAt: Instant
  /** DMARC: messages that passed. TLS: sessions that succeeded. */
  readonly passed: number
  readonly failed: number
}

/** The rest, which depends on the kind. */
type ReportDetails =
  | { readonly kind: 'dmarc'; readonly details: DmarcDetails }
  | { readonly kind: 'tls'; readonly details: TlsDetails }

/** A report as it is kept. */
export type Report = ReportSummary & ReportDetails

/** A summary that knows its kind. */
export type ListedReport = ReportSummary & { readonly kind: ReportKind }

/** Port: where reports are kept, for 400 days. */
export interface ReportStore {
  /** Keeps a report; one that is there already stays as it is. */
  add(report: Report): Promise<void>
  /** Those about a domain that end at or after an instant, the latest end first. */
  list(
    kind: ReportKind,
    domain: DomainName,
    sinceAt: Instant,
    limit: number,
  ): Promise<readonly ListedReport[]>
  find(kind: ReportKind, domain: DomainName, endAt: Instant, digest: string): Promise<Report | undefined>
}
