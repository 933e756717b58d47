import { Argument, type Command } from 'commander'
import type { DmarcJson, ReportDetailsJson, ReportJson, TlsJson } from '../../shared/admin/reports.ts'
import { CliError } from './cli-error.ts'
import { filledOption } from './filled-option.ts'
import { fields, table } from './print.ts'
import type { Session } from './session.ts'

interface ListOptions {
  readonly domain?: string
  readonly since?: string
  readonly limit: string
}

const help = `
Reports are read from what comes to the addresses that postern domain update --dmarc-report-address and
--tls-report-address name, and kept for 400 days. A mail whose report could not be read says why in its header.

Examples:
  postern report list dmarc --since 30d
  postern report list tls --domain example.org`

const showHelp = `
Example:
  postern report show dmarc/example.org/2026-06-01T23:59:59.000Z/k3JX0d5XbKp1sA7Q`

/** Adds `postern report …`. */
export function addReportCommands(program: Command, session: Session): void {
  const report = program
    .command('report')
    .description('what other servers report about mail in our name, and about TLS')
    .addHelpText('after', help)
  report
    .command('list')
    .description('list reports, the newest first')
    .addArgument(new Argument('<kind>', 'the kind of reports').choices(['dmarc', 'tls']))
    .addOption(filledOption('--domain <name>', 'about this domain only'))
    .addOption(filledOption('--since <when>', 'that end since then: 30d, 72h, or 2026-06-01T00:00:00Z'))
    .option('--limit <count>', 'how many at most', '100')
    .action(async (kind: string, { domain, since, limit }: ListOptions) => {
      const query = new URLSearchParams({
        limit,
        ...(domain !== undefined && { domain }),
        ...(since !== undefined && { since: sinceOf(since) }),
      })
      const reports = await (await session.client()).get<ReportJson[]>(`/reports/${kind}?${query}`)
      const heading = ['ID', 'END', 'SENDER', 'PASSED', 'FAILED']
      session.show(reports, table(heading, reports.map(row)))
    })
  report
    .command('show <id>')
    .description('show all that is kept of a report')
    .addHelpText('after', showHelp)
    .action(async (id: string) => {
      const found = await (await session.client()).get<ReportDetailsJson>(pathOf(id))
      session.show(found, describe(found))
    })
}

/** The API counts durations from now. */
function sinceOf(text: string): string {
  const days = /^(\d{1,5})d$/.exec(text)?.[1]
  if (days !== undefined) return `-${Number(days) * 24}h`
  return /^\d[\dhms.]*$/.test(text) ? `-${text}` : text
}

function pathOf(id: string): string {
  const parts = id.split('/')
  if (parts.length !== 4 || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new CliError('<id>: must be the ID of a report, as postern report list shows it')
  }
  return `/reports/${parts.map(encodeURIComponent).join('/')}`
}

function row({ ID, End, Sender, Passed, Failed }: ReportJson): string[] {
  return [ID, End, Sender, String(Passed), String(Failed)]
}

function describe(report: ReportDetailsJson): string {
  const { DMARC, TLS, Domain } = report
  const summary = {
    ID: report.ID,
    Domain: Domain.Unicode || Domain.ASCII,
    Sender: report.Sender,
    Organization: report.Organization,
    'Report ID': report.ReportID,
    Contact: DMARC?.Email ?? TLS?.Contact ?? '',
    Begin: report.Begin,
    End: report.End,
    Received: report.Received,
    Passed: String(report.Passed),
    Failed: String(report.Failed),
  }
  return `${fields(summary)}\n\n${DMARC ? describeDmarc(DMARC) : TLS ? describeTls(TLS) : ''}`
}

function describeDmarc({ Policy, Errors, Rows, OmittedRows }: DmarcJson): string {
  const policy = Object.entries(Policy).map(([name, value]) => `${name}=${value}`)
  const heading = [
    'SOURCE',
    'COUNT',
    'DISPOSITION',
    'DKIM',
    'SPF',
    'FROM',
    'MAIL FROM',
    'SIGNED BY',
    'REASONS',
  ]
  const rows = Rows.map((each) => [
    each.SourceIP,
    String(each.Count),
    each.Disposition,
    each.DKIM,
    each.SPF,
    each.HeaderFrom,
    each.EnvelopeFrom || '-',
    each.DKIMResults.map(({ Domain, Result }) => `${Domain} (${Result})`).join(', ') || '-',
    each.Reasons.join(', ') || '-',
  ])
  const errors = fields({ Policy: policy.join('; '), Errors: Errors.join('; ') })
  return `${errors}\n\n${table(heading, rows)}${omitted(OmittedRows)}`
}

function describeTls({ Policies, OmittedRows }: TlsJson): string {
  const heading = ['POLICY', 'PASSED', 'FAILED', 'MX']
  const policies = Policies.map(({ Type, Succeeded, Failed, MXHosts }) => [
    Type,
    String(Succeeded),
    String(Failed),
    MXHosts.join(', ') || '-',
  ])
  const failures = Policies.flatMap(({ Failures }) => Failures).map((each) => [
    each.ResultType,
    String(each.Count),
    each.SendingIP || '-',
    each.ReceivingMX || '-',
    each.ReceivingIP || '-',
    [each.ReasonCode, each.Information].filter((text) => text !== '').join(' ') || '-',
  ])
  const failureHeading = ['FAILURE', 'COUNT', 'SENDER IP', 'MX', 'MX IP', 'WHY']
  return `${table(heading, policies)}\n\n${table(failureHeading, failures)}${omitted(OmittedRows)}`
}

function omitted(rows: number): string {
  return rows === 0 ? '' : `\n\n${rows} more were not kept`
}
