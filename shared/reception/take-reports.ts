import type { HostedDomain, Options } from '../account/options.ts'
import { baseLocalpart, directoryKey } from '../account/resolve-address.ts'
import type { Address } from '../address/address.ts'
import { lookUp } from '../base/look-up.ts'
import type { ReadDmarcPorts } from '../reports/dmarc-report.ts'
import { type ReportMessage, readReports } from '../reports/read-reports.ts'
import type { ReportKind, ReportStore } from '../reports/report.ts'
import { ReportError } from '../reports/report-error.ts'
import type { AcceptedRecipient } from './accept-recipient.ts'

/** What became of the report that a message should have brought. */
interface ReportOutcome {
  readonly isTaken: boolean
  /** The header field that says why not; empty when it was taken. */
  readonly field: string
}

/** By the kinds of reports that somebody was to get. */
export type ReportOutcomes = ReadonlyMap<ReportKind, ReportOutcome>

const KINDS: readonly {
  readonly kind: ReportKind
  readonly address: (domain: HostedDomain) => string | undefined
  readonly field: string
}[] = [
  { kind: 'dmarc', address: ({ dmarcReports }) => dmarcReports, field: 'X-Postern-DMARC-Report-Error' },
  { kind: 'tls', address: ({ tlsReports }) => tlsReports, field: 'X-Postern-TLS-Report-Error' },
]

/**
 * Keeps the reports in a message that came to an address for them. It is kept as a mail whatever comes of that, so
 * that nothing here is a reason to refuse it; only what our store throws is.
 */
export async function takeReports(
  ports: ReadDmarcPorts & { readonly reports: Pick<ReportStore, 'add'> },
  options: Options,
  message: ReportMessage & { readonly recipients: readonly AcceptedRecipient[] },
): Promise<ReportOutcomes> {
  const wanted = new Set(message.recipients.flatMap(({ address }) => reportKindsAt(options, address)))
  const outcomes = new Map<ReportKind, ReportOutcome>()
  for (const { kind, field } of KINDS.filter((each) => wanted.has(each.kind))) {
    try {
      for (const report of await readReports(ports, options, kind, message)) await ports.reports.add(report)
      outcomes.set(kind, { isTaken: true, field: '' })
    } catch (error) {
      if (!(error instanceof ReportError)) throw error
      outcomes.set(kind, { isTaken: false, field: `${field}: ${error.message}\r\n` })
    }
  }
  return outcomes
}

/** The kinds of reports that come to that address, with whatever stands behind a separator. */
export function reportKindsAt({ domains }: Options, address: Address): readonly ReportKind[] {
  const separators = lookUp(domains, address.domain)?.separators ?? []
  const base = { ...address, localpart: baseLocalpart(address.localpart, separators) }
  const keys = [directoryKey(address), directoryKey(base)]
  const hosted = Object.values(domains)
  return KINDS.filter(({ address: of }) => hosted.some((domain) => keys.includes(of(domain) ?? ''))).map(
    ({ kind }) => kind,
  )
}
