import type { DomainName } from '../address/domain-name.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Authentication, DkimResult, DmarcResult, SpfResult } from './authentication.ts'
import { DMARC_POLICIES, type DmarcPolicy, type DmarcRecord, parseDmarcRecord } from './dmarc-record.ts'
import { organizationalDomain } from './public-suffix.ts'

export interface DmarcPorts {
  readonly resolver: Resolver
  readonly random: Pick<Random, 'fraction'>
}

/** What DMARC compares the author's domain with. */
export type Identifiers = Pick<Authentication, 'spf' | 'dkim'>

/** A record and its text, or why there is none to go by. */
export type FoundDmarcRecord = { readonly authentic: boolean } & (
  | { readonly record: DmarcRecord; readonly text: string; readonly policyDomain: DomainName }
  | Pick<DmarcResult, 'result' | 'problem'>
)

/**
 * Whether an author's domain vouches for the message (RFC 7489 §6.6). Of several authors' domains the one counts
 * whose result is the worst (§6.6.1): adding an author must not make a message better.
 */
export async function checkDmarc(
  ports: DmarcPorts,
  authors: readonly DomainName[],
  identifiers: Identifiers,
): Promise<DmarcResult> {
  const results = await Promise.all(authors.map((author) => checkAuthor(ports, author, identifiers)))
  const [worst] = results.toSorted((one, other) => badness(other) - badness(one))
  return worst ?? { result: 'none', policy: 'none', problem: 'no author domain', authentic: false }
}

/** Whether the author's domain stands behind the message, by DMARC or where it has no record, as if it had one. */
export function isAuthorValidated({ dmarc, spf, dkim }: Authentication): boolean {
  if (dmarc.result !== 'none') return dmarc.result === 'pass'
  const record = { strictDkim: false, strictSpf: false }
  return dmarc.fromDomain !== undefined && isVouchedFor('pass', record, dmarc.fromDomain, { spf, dkim })
}

function badness({ result, policy }: DmarcResult): number {
  const order = ['pass', 'none', 'fail none', 'permerror', 'temperror', 'fail quarantine', 'fail reject']
  return order.indexOf(result === 'fail' ? `fail ${policy}` : result)
}

async function checkAuthor(
  { resolver, random }: DmarcPorts,
  author: DomainName,
  identifiers: Identifiers,
): Promise<DmarcResult> {
  const found = await findDmarcRecord(resolver, author)
  if (!('record' in found)) return { fromDomain: author, policy: 'none', ...found }
  const { record, policyDomain, authentic } = found
  const published = policyDomain === author ? record.policy : (record.subdomainPolicy ?? record.policy)
  const facts = { fromDomain: author, policyDomain, problem: '', authentic }
  const policy = random.fraction() * 100 < record.percent ? published : milder(published)
  if (isVouchedFor('pass', record, author, identifiers)) return { ...facts, result: 'pass', policy }
  // Only what could have passed: a forger adds signatures of domains whose DNS fails.
  if (isVouchedFor('temperror', record, author, identifiers)) return { ...facts, result: 'temperror', policy }
  return { ...facts, result: 'fail', policy }
}

/** RFC 7489 §6.6.4: what is not drawn is treated by the next milder policy. */
function milder(policy: DmarcPolicy): DmarcPolicy {
  return DMARC_POLICIES[DMARC_POLICIES.indexOf(policy) - 1] ?? 'none'
}

/** RFC 7489 §3.1: an identifier with that result is in alignment with the author's domain. */
function isVouchedFor(
  result: 'pass' | 'temperror',
  { strictDkim, strictSpf }: Pick<DmarcRecord, 'strictDkim' | 'strictSpf'>,
  author: string,
  { spf, dkim }: { readonly spf: SpfResult; readonly dkim: readonly DkimResult[] },
): boolean {
  const isBySpf = spf.result === result && isAligned(spf.domain, author, strictSpf)
  return isBySpf || dkim.some((each) => each.result === result && isAligned(each.domain, author, strictDkim))
}

function isAligned(domain: string | undefined, author: string, isStrict: boolean): boolean {
  const [one, other] = [(domain ?? '').toLowerCase(), author] as [DomainName, DomainName]
  return (
    one === other || (!isStrict && one !== '' && organizationalDomain(one) === organizationalDomain(other))
  )
}

/** RFC 7489 §6.6.3: the record of the domain itself, else of its organization; several count as none. */
export async function findDmarcRecord(resolver: Resolver, author: DomainName): Promise<FoundDmarcRecord> {
  const organization = organizationalDomain(author)
  const own = await lookUpRecords(resolver, author)
  const isAbove = own.failure === undefined && own.records.length === 0 && organization !== author
  const above = isAbove ? await lookUpRecords(resolver, organization) : own
  const { failure, records } = above
  const authentic = own.authentic && above.authentic
  const [first] = records
  if (failure !== undefined) return { result: 'temperror', problem: failure, authentic }
  if (first === undefined) return { result: 'none', problem: 'no record', authentic }
  if (records.length > 1) return { result: 'none', problem: 'several records', authentic }
  const { record, text } = first
  if (record === 'malformed') return { result: 'permerror', problem: 'malformed record', authentic }
  return { record, text, policyDomain: isAbove ? organization : author, authentic }
}

interface Records {
  readonly records: readonly { readonly record: DmarcRecord | 'malformed'; readonly text: string }[]
  readonly failure?: string
  readonly authentic: boolean
}

async function lookUpRecords(resolver: Resolver, domain: DomainName): Promise<Records> {
  const answer = await resolver.lookUp('TXT', `_dmarc.${domain}`)
  if (answer.kind === 'failed') return { records: [], failure: answer.error, authentic: false }
  const texts = answer.kind === 'found' ? answer.values : []
  const records = texts.flatMap((text) => {
    const record = parseDmarcRecord(text)
    return record === undefined ? [] : [{ record, text }]
  })
  return { records, authentic: answer.authentic }
}
