import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { Options } from '../account/options.ts'
import type { DomainName } from '../address/domain-name.ts'
import { parseTime } from '../attempts/time-filter.ts'
import { formatInstant } from '../base/clock.ts'
import type { DmarcDetails } from '../reports/dmarc-report.ts'
import type { ListedReport, Report, ReportKind } from '../reports/report.ts'
import type { TlsDetails } from '../reports/tls-report.ts'
import type { AdminPorts } from './admin-ports.ts'
import { readDomain } from './fields.ts'
import { limitField } from './list-query.ts'
import { answer, NotFoundError, RequestError, readQuery } from './request.ts'
import { type DomainNameJson, wireDomain } from './wire-domain.ts'

/** A report that came in, in lists. */
export interface ReportJson {
  /** `kind/domain/end/digest`: what its path ends with. */
  readonly ID: string
  readonly Kind: ReportKind
  readonly Domain: DomainNameJson
  /** The domain that sent it, and the name it gives itself. */
  readonly Sender: string
  readonly Organization: string
  readonly ReportID: string
  /** RFC 3339, as all times are. */
  readonly Begin: string
  readonly End: string
  readonly Received: string
  /** Messages, or sessions in reports about TLS. */
  readonly Passed: number
  readonly Failed: number
}

/** A report with what it says besides; one of both. */
export interface ReportDetailsJson extends ReportJson {
  readonly DMARC?: DmarcJson
  readonly TLS?: TlsJson
}

/** RFC 7489 appendix C, with the names of this API. */
export interface DmarcJson {
  readonly Email: string
  readonly Policy: Readonly<Record<string, string>>
  readonly Errors: readonly string[]
  readonly Rows: readonly {
    readonly SourceIP: string
    readonly Count: number
    readonly Disposition: string
    readonly DKIM: string
    readonly SPF: string
    readonly Reasons: readonly string[]
    readonly HeaderFrom: string
    readonly EnvelopeFrom: string
    readonly DKIMResults: readonly DomainResultJson[]
    readonly SPFResults: readonly DomainResultJson[]
  }[]
  /** Rows that are counted only. */
  readonly OmittedRows: number
}

interface DomainResultJson {
  readonly Domain: string
  readonly Result: string
  readonly Selector?: string
}

/** RFC 8460 §4.4, with the names of this API. */
export interface TlsJson {
  readonly Contact: string
  readonly Policies: readonly {
    readonly Type: string
    readonly Texts: readonly string[]
    readonly MXHosts: readonly string[]
    readonly Succeeded: number
    readonly Failed: number
    readonly Failures: readonly {
      readonly ResultType: string
      readonly Count: number
      readonly SendingIP: string
      readonly ReceivingMX: string
      readonly ReceivingHELO: string
      readonly ReceivingIP: string
      readonly Information: string
      readonly ReasonCode: string
    }[]
  }[]
  readonly OmittedRows: number
}

const reportQuery = z.strictObject({
  domain: z.optional(z.string()),
  since: z.optional(z.string()),
  limit: limitField,
})

/** Of dates (ECMAScript, time values). */
const LATEST = 8.64e15

/** Reports that came in, of each kind: list, show. */
export function reportRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  for (const kind of ['dmarc', 'tls'] as const) {
    routes.get(`/${kind}`, async (context) => {
      const { domain, since, limit } = readQuery(context, reportQuery)
      const domains =
        domain === undefined ? ownDomains(await ports.options.readNewest()) : [readDomain('domain', domain)]
      const sinceAt = since === undefined ? 0 : parseTime(since, ports.clock.now())
      if (sinceAt === undefined || sinceAt < 0 || sinceAt > LATEST) {
        throw new RequestError('since', 'must be a duration from now such as -720h, or RFC 3339')
      }
      const most = Number(limit)
      const found = await Promise.all(domains.map((each) => ports.reports.list(kind, each, sinceAt, most)))
      const newest = found
        .flat()
        .sort((one, other) => other.endAt - one.endAt)
        .slice(0, most)
      return answer(context, newest.map(reportJson))
    })
    routes.get(`/${kind}/:domain/:end/:digest`, async (context) => {
      const { domain, end, digest } = context.req.param()
      const report = await findReport(ports, kind, readDomain('Domain', domain), end, digest)
      if (!report) throw new NotFoundError(`there is no such report: ${kind}/${domain}/${end}/${digest}`)
      return answer(context, detailsJson(report))
    })
  }
  return routes
}

/** Reports about TLS may be about the server's own name. */
function ownDomains({ domains, hostname }: Options): readonly DomainName[] {
  return [...new Set([...Object.keys(domains), hostname])] as DomainName[]
}

async function findReport(
  { reports }: AdminPorts,
  kind: ReportKind,
  domain: DomainName,
  end: string,
  digest: string,
): Promise<Report | undefined> {
  const endAt = Date.parse(end)
  const isName = !Number.isNaN(endAt) && /^[\w-]{1,64}$/.test(digest)
  return isName ? await reports.find(kind, domain, endAt, digest) : undefined
}

function reportJson(report: ListedReport): ReportJson {
  const { kind, domain, digest, sender, organization, reportId, passed, failed } = report
  return {
    ID: `${kind}/${domain}/${formatInstant(report.endAt)}/${digest}`,
    Kind: kind,
    Domain: wireDomain(domain),
    Sender: sender,
    Organization: organization,
    ReportID: reportId,
    Begin: formatInstant(report.beginAt),
    End: formatInstant(report.endAt),
    Received: formatInstant(report.receivedAt),
    Passed: passed,
    Failed: failed,
  }
}

function detailsJson(report: Report): ReportDetailsJson {
  return report.kind === 'dmarc'
    ? { ...reportJson(report), DMARC: dmarcJson(report.details) }
    : { ...reportJson(report), TLS: tlsJson(report.details) }
}

function dmarcJson({ email, policy, errors, rows, omittedRows }: DmarcDetails): DmarcJson {
  return {
    Email: email,
    Policy: policy,
    Errors: errors,
    Rows: rows.map((row) => ({
      SourceIP: row.sourceIp,
      Count: row.count,
      Disposition: row.disposition,
      DKIM: row.dkim,
      SPF: row.spf,
      Reasons: row.reasons,
      HeaderFrom: row.headerFrom,
      EnvelopeFrom: row.envelopeFrom,
      DKIMResults: row.dkimResults.map(resultJson),
      SPFResults: row.spfResults.map(resultJson),
    })),
    OmittedRows: omittedRows,
  }
}

function resultJson({ domain, result, selector }: DmarcDetails['rows'][number]['dkimResults'][number]) {
  return { Domain: domain, Result: result, ...(selector !== undefined && { Selector: selector }) }
}

function tlsJson({ contact, policies, omittedRows }: TlsDetails): TlsJson {
  return {
    Contact: contact,
    Policies: policies.map((policy) => ({
      Type: policy.type,
      Texts: policy.texts,
      MXHosts: policy.mxHosts,
      Succeeded: policy.succeeded,
      Failed: policy.failed,
      Failures: policy.failures.map((failure) => ({
        ResultType: failure.resultType,
        Count: failure.count,
        SendingIP: failure.sendingIp,
        ReceivingMX: failure.receivingMx,
        ReceivingHELO: failure.receivingHelo,
        ReceivingIP: failure.receivingIp,
        Information: failure.information,
        ReasonCode: failure.reasonCode,
      })),
    })),
    OmittedRows: omittedRows,
  }
}
