import { extendedErrorReason } from '../dns/extended-error.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { StsProblem } from './problem.ts'
import { parseStsRecord, type StsRecord } from './record.ts'

/** What came of looking for the record of a domain. */
export type FoundRecord =
  | { readonly kind: 'found'; readonly record: StsRecord; readonly authentic: boolean }
  /** There is none to go by (RFC 8461 §3.1). */
  | { readonly kind: 'none'; readonly problem: StsProblem }
  /** Nothing is known; later it may be. */
  | { readonly kind: 'failed'; readonly problem: StsProblem }

/** Looks up the record of a domain (RFC 8461 §3.1): several count as none, as does one that breaks a rule. */
export async function findStsRecord(resolver: Resolver, domain: string): Promise<FoundRecord> {
  const answer = await resolver.lookUp('TXT', `_mta-sts.${domain}`)
  if (answer.kind === 'failed') {
    return { kind: 'failed', problem: problem(answer.error, extendedErrorReason(answer) ?? 'dns-lookup') }
  }
  const texts = answer.kind === 'found' ? answer.values : []
  const records = texts.flatMap((text) => parseStsRecord(text) ?? [])
  const [record] = records
  if (record === undefined) return none('there is no MTA-STS record', 'no-mta-sts-dns-txt-record')
  if (records.length > 1) return none('there are several MTA-STS records', 'multiple-mta-sts-records')
  if (record === 'malformed') return none('the MTA-STS record is malformed', 'record-syntax-error')
  return { kind: 'found', record, authentic: answer.kind === 'found' && answer.authentic }
}

function none(text: string, reason: string): FoundRecord {
  return { kind: 'none', problem: problem(text, reason) }
}

function problem(text: string, reason: string): StsProblem {
  return { text, resultType: 'sts-policy-fetch-error', reason }
}
