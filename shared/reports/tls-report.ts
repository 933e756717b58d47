import * as z from 'zod/mini'
import { type Instant, parseInstant } from '../base/clock.ts'
import { boundedText, RowBound } from './bounded.ts'
import { unreadable } from './report-error.ts'

/** A report about TLS (RFC 8460 §4.4) as it says. */
export interface TlsReport {
  readonly organization: string
  readonly reportId: string
  readonly contact: string
  readonly beginAt: Instant
  readonly endAt: Instant
  readonly policies: readonly TlsPolicy[]
}

/** How sessions fared under one policy. */
export interface TlsPolicy {
  /** `tlsa`, `sts` or `no-policy-found`. */
  readonly type: string
  readonly domain: string
  /** The policy's lines or records. */
  readonly texts: readonly string[]
  readonly mxHosts: readonly string[]
  readonly succeeded: number
  readonly failed: number
  readonly failures: readonly TlsFailure[]
}

/** Sessions that failed alike (RFC 8460 §4.3). */
interface TlsFailure {
  readonly resultType: string
  readonly count: number
  readonly sendingIp: string
  readonly receivingMx: string
  readonly receivingHelo: string
  readonly receivingIp: string
  readonly information: string
  readonly reasonCode: string
}

/** What is kept of a report beyond its summary: the policies of one domain. */
export interface TlsDetails {
  readonly contact: string
  readonly policies: readonly TlsPolicy[]
  /** Policies and failures that were too many to be kept; sessions of theirs are counted. */
  readonly omittedRows: number
}

const text = z._default(z.nullable(z.string()), '')
const texts = z._default(z.nullable(z.union([z.string(), z.array(z.string())])), [])
const count = z._default(z.int().check(z.gte(0)), 0)
const reportShape = z.object({
  'organization-name': text,
  'contact-info': text,
  'report-id': z.string().check(z.minLength(1)),
  'date-range': z.object({ 'start-datetime': z.string(), 'end-datetime': z.string() }),
  policies: z.array(
    z.object({
      policy: z.object({
        'policy-type': z.string(),
        'policy-domain': z.string(),
        'policy-string': texts,
        'mx-host': texts,
      }),
      summary: z.object({ 'total-successful-session-count': count, 'total-failure-session-count': count }),
      'failure-details': z._default(
        z.nullable(
          z.array(
            z.object({
              'result-type': z.string(),
              'failed-session-count': count,
              'sending-mta-ip': text,
              'receiving-mx-hostname': text,
              'receiving-mx-helo': text,
              'receiving-ip': text,
              'additional-information': text,
              'failure-reason-code': text,
            }),
          ),
        ),
        [],
      ),
    }),
  ),
})

type Shape = z.output<typeof reportShape>
type PolicyShape = Shape['policies'][number]
type FailureShape = NonNullable<PolicyShape['failure-details']>[number]

/** Some leave out the zone, which is UTC; others put a space in the place of the T. */
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)?$/
const MOST_TEXTS = 20

/** Reads a report; throws ReportError. */
export function readTlsReport(bytes: Uint8Array): TlsReport {
  const result = z.safeParse(reportShape, parseJson(bytes))
  if (!result.success) {
    // The names of fields are ours; what stands in them is not told.
    const path = result.error.issues[0]?.path.filter((key) => typeof key === 'string') ?? []
    throw unreadable(`malformed or missing ${path.join('.') || 'object'}`, 'TLS report')
  }
  const { policies, ...report } = result.data
  const beginAt = readDateTime(report['date-range']['start-datetime'])
  const endAt = readDateTime(report['date-range']['end-datetime'])
  if (beginAt > endAt) throw unreadable('malformed date-range', 'TLS report')
  return {
    organization: boundedText(report['organization-name'] ?? ''),
    reportId: boundedText(report['report-id']),
    contact: boundedText(report['contact-info'] ?? ''),
    beginAt,
    endAt,
    policies: policies.map(readPolicy),
  }
}

/** What is kept about one domain: its policies as far as they are not too many. */
export function tlsDetails({ contact }: TlsReport, policies: readonly TlsPolicy[]): TlsDetails {
  const bound = new RowBound()
  const kept = policies
    .filter((policy) => bound.takes({ ...policy, failures: [] }))
    .map((policy) => ({ ...policy, failures: policy.failures.filter((failure) => bound.takes(failure)) }))
  return { contact, policies: kept, omittedRows: bound.omitted }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(
      Buffer.from(bytes)
        .toString()
        .replace(/^\ufeff/, ''),
    )
  } catch {
    throw unreadable('no JSON', 'TLS report')
  }
}

function readDateTime(written: string): Instant {
  const [, date, time, fraction = '', zone = 'Z'] = DATE_TIME.exec(written.trim()) ?? []
  const normal = `${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`
  if (date === undefined || Number.isNaN(Date.parse(normal)))
    throw unreadable('malformed date-range', 'TLS report')
  return parseInstant(normal)
}

function readPolicy({ policy, summary, 'failure-details': failures }: PolicyShape): TlsPolicy {
  return {
    type: boundedText(policy['policy-type']),
    domain: boundedText(policy['policy-domain']),
    texts: textsOf(policy['policy-string']),
    mxHosts: textsOf(policy['mx-host']),
    succeeded: summary['total-successful-session-count'],
    failed: summary['total-failure-session-count'],
    failures: (failures ?? []).map(readFailure),
  }
}

function readFailure(failure: FailureShape): TlsFailure {
  return {
    resultType: boundedText(failure['result-type']),
    count: failure['failed-session-count'],
    sendingIp: boundedText(failure['sending-mta-ip'] ?? ''),
    receivingMx: boundedText(failure['receiving-mx-hostname'] ?? ''),
    receivingHelo: boundedText(failure['receiving-mx-helo'] ?? ''),
    receivingIp: boundedText(failure['receiving-ip'] ?? ''),
    information: boundedText(failure['additional-information'] ?? ''),
    reasonCode: boundedText(failure['failure-reason-code'] ?? ''),
  }
}

function textsOf(value: string | readonly string[] | null): readonly string[] {
  const all = value === null ? [] : typeof value === 'string' ? [value] : value
  return all.slice(0, MOST_TEXTS).map(boundedText)
}
