import { aliasTarget, hostName } from './names.ts'
import type { DnsAnswer, DnsFailure, DnsRecords, DnsRecordType } from './resolver.ts'
import type { DnsResponse, WireRecord } from './response.ts'

/** An answer, and for how many seconds it stays true; 0 where nobody said. */
export interface ReadAnswer<Value> {
  readonly answer: DnsAnswer<Value>
  readonly ttlSeconds: number
}

/** CNAMEs that may follow each other. */
const MAX_LINKS = 16

/** RFC 1035 §4.1.1, RFC 6895 §2.3. */
const NOERROR = 0
const NXDOMAIN = 3
const codeNames: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  4: 'NOTIMP',
  5: 'REFUSED',
  16: 'BADVERS',
}

/**
 * What a response says to the question. `name` as `askableName` gives it; `isTrusted` is whether we believe the server
 * that an answer is authentic.
 */
export function readAnswer<Type extends DnsRecordType>(
  type: Type,
  name: string,
  response: DnsResponse,
  isTrusted: boolean,
): ReadAnswer<DnsRecords[Type]> {
  const { responseCode, answers } = response
  const failed = (how: string) => ({ answer: dnsFailure(type, name, how, response), ttlSeconds: 0 })
  if (responseCode !== NOERROR && responseCode !== NXDOMAIN) {
    return failed(codeNames[responseCode] ?? `response code ${responseCode}`)
  }
  if (response.isReferral && answers.length === 0) return failed('the server does not ask others')
  const chain = followLinks(type, name, answers)
  if (typeof chain === 'string') return failed(chain)
  const authentic = isTrusted && response.isAuthenticData
  const { canonicalName, records, ttls } = chain
  // RFC 6604 §3: the code is about the name where the CNAMEs lead, not about a CNAME that was asked for.
  const isAbsent = responseCode === NXDOMAIN && type !== 'CNAME'
  if (isAbsent || records.length === 0) {
    const kind = responseCode === NXDOMAIN ? 'no-name' : 'no-data'
    return { answer: { kind, authentic }, ttlSeconds: Math.min(...ttls, negativeTtl(response)) }
  }
  const values = records.map(readers[type]).filter((value) => value !== undefined)
  if (values.length === 0) return failed('no record of it has a valid name')
  const ttlSeconds = Math.min(...ttls, ...records.map(ttlOf))
  return { answer: { kind: 'found', values, canonicalName, authentic }, ttlSeconds }
}

/** That nothing is known, and why; with what the server said about it. */
export function dnsFailure(
  type: DnsRecordType,
  name: string,
  how: string,
  { extended }: Pick<DnsFailure, 'extended'> = {},
): DnsFailure {
  const more = extended && `: ${[extended.name, extended.text].filter(Boolean).join(', ')}`
  return {
    kind: 'failed',
    error: `${type} ${name}: ${how}${more ?? ''}`,
    ...(extended && { extended }),
  }
}

interface Chain {
  readonly canonicalName: string
  /** Of the type that was asked for. */
  readonly records: readonly WireRecord[]
  /** Of the CNAMEs on the way. */
  readonly ttls: readonly number[]
}

/** Follows CNAMEs as far as the answer has them; that is as far as they go (RFC 1034 §4.3.2). */
function followLinks(type: DnsRecordType, name: string, answers: readonly WireRecord[]): Chain | string {
  const ttls: number[] = []
  let canonicalName = name
  while (ttls.length <= MAX_LINKS) {
    const here = answers.filter((record) => record.name.toLowerCase() === canonicalName)
    const records = here.filter((record) => record.type === type)
    const link = here.find((record) => record.type === 'CNAME')
    if (records.length > 0 || link === undefined) return { canonicalName, records, ttls }
    const target = aliasTarget(String(link.data))
    if (target === undefined) return 'a CNAME leads to no valid name'
    canonicalName = target
    ttls.push(ttlOf(link))
  }
  return 'too many CNAMEs, or in a circle'
}

/** RFC 2181 §8: a TTL with its first bit set counts as 0. */
function ttlOf({ ttl = 0 }: WireRecord): number {
  return ttl >= 2 ** 31 ? 0 : ttl
}

/** RFC 2308 §5. */
function negativeTtl({ authorities }: DnsResponse): number {
  const soa = authorities.find((record) => record.type === 'SOA')
  return soa === undefined ? 0 : Math.min(ttlOf(soa), soa.data.minimum ?? 0)
}

/** Undefined for a record that names no valid host. */
const readers: { readonly [Type in DnsRecordType]: (record: WireRecord) => DnsRecords[Type] | undefined } = {
  A: (record) => (record.type === 'A' ? record.data : undefined),
  AAAA: (record) => (record.type === 'AAAA' ? record.data : undefined),
  CNAME: (record) => (record.type === 'CNAME' ? aliasTarget(record.data) : undefined),
  MX: (record) => {
    if (record.type !== 'MX') return undefined
    const exchange = hostOrNone(record.data.exchange)
    return exchange === undefined ? undefined : { preference: record.data.preference ?? 0, exchange }
  },
  NS: (record) => (record.type === 'NS' ? hostName(record.data) : undefined),
  PTR: (record) => (record.type === 'PTR' ? hostName(record.data) : undefined),
  SRV: (record) => {
    if (record.type !== 'SRV') return undefined
    const { priority = 0, weight = 0, port, target: name } = record.data
    const target = hostOrNone(name)
    return target === undefined ? undefined : { priority, weight, port, target }
  },
  TLSA: (record) => {
    if (record.type !== 'TLSA') return undefined
    const { usage, selector, matchingType, certificate } = record.data
    return { usage, selector, matchingType, data: new Uint8Array(certificate) }
  },
  TXT: (record) => {
    if (record.type !== 'TXT') return undefined
    const strings = [record.data].flat().map((string) => Buffer.from(string))
    return Buffer.concat(strings).toString('latin1')
  },
}

/** `.` says that there is no such host: RFC 7505 of MX, RFC 2782 of SRV. */
function hostOrNone(name: string): string | undefined {
  return name === '.' ? name : hostName(name)
}
