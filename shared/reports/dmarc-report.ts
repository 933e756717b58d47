import { type Clock, type Instant, SECOND } from '../base/clock.ts'
import { decodeCharset } from '../message/charset.ts'
import { boundedText, RowBound } from './bounded.ts'
import { unreadable } from './report-error.ts'
import { readXmlChildren, type XmlElement, XmlError } from './xml-children.ts'

/** An aggregate report (RFC 7489 appendix C) as it says. */
export interface DmarcReport {
  readonly organization: string
  readonly reportId: string
  readonly beginAt: Instant
  readonly endAt: Instant
  /** The domain whose policy it is about, as written. */
  readonly policyDomain: string
  /** Messages that passed, and that did not; of all rows. */
  readonly passed: number
  readonly failed: number
  readonly details: DmarcDetails
}

/** What is kept of a report beyond its summary. */
export interface DmarcDetails {
  /** Where the reporter answers questions. */
  readonly email: string
  /** What the receiver found published: `p`, `sp`, `adkim`, `aspf`, `pct` and what else stands there. */
  readonly policy: Readonly<Record<string, string>>
  readonly errors: readonly string[]
  readonly rows: readonly DmarcRow[]
  /** Rows that were too many to be kept; their messages are counted. */
  readonly omittedRows: number
}

/** Messages of one source that fared alike. */
interface DmarcRow {
  readonly sourceIp: string
  readonly count: number
  readonly disposition: string
  /** Whether an aligned signature, or SPF, passed: `pass` or `fail`. */
  readonly dkim: string
  readonly spf: string
  /** Why the policy was not applied: `type: comment`. */
  readonly reasons: readonly string[]
  readonly headerFrom: string
  readonly envelopeFrom: string
  readonly dkimResults: readonly DomainResult[]
  readonly spfResults: readonly DomainResult[]
}

/** What authentication found for a domain, aligned or not. */
interface DomainResult {
  readonly domain: string
  readonly result: string
  readonly selector?: string
}

export interface ReadDmarcPorts {
  readonly clock: Clock
  /** Resolves after that time, or early when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>
}

const LONGEST_MS = 30 * SECOND
/** Others get their turn so often. */
const RECORDS_AT_ONCE = 200
const MOST_TEXTS = 10

/** Reads a report; throws ReportError, also when reading takes more than half a minute. */
export async function readDmarcReport(ports: ReadDmarcPorts, bytes: Uint8Array): Promise<DmarcReport> {
  const startedAt = ports.clock.now()
  const draft = newDraft()
  let elements = 0
  try {
    for (const child of readXmlChildren(decodeCharset(bytes, charsetOf(bytes)), 'feedback')) {
      readChild(draft, child)
      elements += 1
      if (elements % RECORDS_AT_ONCE !== 0) continue
      await ports.wait(0, new AbortController().signal)
      if (ports.clock.now() - startedAt > LONGEST_MS) throw unreadable('took too long')
    }
  } catch (error) {
    if (error instanceof XmlError) throw unreadable(error.message)
    throw error
  }
  return reportOf(draft)
}

interface Draft {
  metadata?: XmlElement
  policy?: XmlElement
  passed: number
  failed: number
  readonly rows: DmarcRow[]
  readonly bound: RowBound
}

function newDraft(): Draft {
  return { passed: 0, failed: 0, rows: [], bound: new RowBound() }
}

/** XML 1.0 §4.3.3 knows more; reporters write UTF-8, and some of them UTF-16 with a byte order mark. */
function charsetOf(bytes: Uint8Array): string {
  return bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : ''
}

function readChild(draft: Draft, child: XmlElement): void {
  if (child.name === 'report_metadata') draft.metadata = child
  if (child.name === 'policy_published') draft.policy = child
  if (child.name !== 'record') return
  const row = readRow(child)
  if (row.dkim === 'pass' || row.spf === 'pass') draft.passed += row.count
  else draft.failed += row.count
  if (draft.bound.takes(row)) draft.rows.push(row)
}

function reportOf({ metadata, policy, rows, bound, passed, failed }: Draft): DmarcReport {
  if (!metadata || !policy) throw unreadable('no report_metadata or no policy_published')
  const reportId = textOf(metadata, 'report_id')
  if (reportId === '') throw unreadable('no report_id')
  const [beginAt, endAt] = ['begin', 'end'].map((name) => secondsOf(metadata, name))
  if (beginAt === undefined || endAt === undefined || beginAt > endAt) throw unreadable('no date_range')
  const published = policy.children.filter(({ name }) => name !== 'domain').slice(0, MOST_TEXTS)
  return {
    organization: textOf(metadata, 'org_name'),
    reportId,
    beginAt,
    endAt,
    policyDomain: textOf(policy, 'domain'),
    passed,
    failed,
    details: {
      email: textOf(metadata, 'email'),
      policy: Object.fromEntries(published.map(({ name, text }) => [boundedText(name), boundedText(text)])),
      errors: textsOf(metadata, 'error'),
      rows,
      omittedRows: bound.omitted,
    },
  }
}

function readRow(record: XmlElement): DmarcRow {
  const count = textOf(record, 'row', 'count')
  if (!/^\d{1,9}$/.test(count)) throw unreadable('a count that is no number')
  const results = find(record, 'auth_results')
  return {
    sourceIp: textOf(record, 'row', 'source_ip'),
    count: Number(count),
    disposition: textOf(record, 'row', 'policy_evaluated', 'disposition'),
    dkim: textOf(record, 'row', 'policy_evaluated', 'dkim'),
    spf: textOf(record, 'row', 'policy_evaluated', 'spf'),
    reasons: allOf(find(record, 'row', 'policy_evaluated'), 'reason').map((reason) =>
      [textOf(reason, 'type'), textOf(reason, 'comment')].filter((text) => text !== '').join(': '),
    ),
    headerFrom: textOf(record, 'identifiers', 'header_from'),
    envelopeFrom: textOf(record, 'identifiers', 'envelope_from'),
    dkimResults: allOf(results, 'dkim').map(domainResult),
    spfResults: allOf(results, 'spf').map(domainResult),
  }
}

function domainResult(element: XmlElement): DomainResult {
  const selector = textOf(element, 'selector')
  const facts = { domain: textOf(element, 'domain'), result: textOf(element, 'result') }
  return selector === '' ? facts : { ...facts, selector }
}

function secondsOf(metadata: XmlElement, name: string): Instant | undefined {
  const text = textOf(metadata, 'date_range', name)
  return /^\d{1,11}$/.test(text) ? Number(text) * SECOND : undefined
}

/** The first element that the names lead to. */
function find(element: XmlElement, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>(
    (found, name) => found?.children.find((child) => child.name === name),
    element,
  )
}

function allOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return (element?.children ?? []).filter((child) => child.name === name).slice(0, MOST_TEXTS)
}

function textOf(element: XmlElement, ...path: readonly string[]): string {
  return boundedText(find(element, ...path)?.text ?? '')
}

function textsOf(element: XmlElement, name: string): readonly string[] {
  return allOf(element, name).map(({ text }) => boundedText(text))
}
