import { type Clock, type Instant, SECOND } from '../base/clock.ts'
import type { DnsRecords, DnsRecordType, Resolver } from '../dns/resolver.ts'

/** Why an evaluation cannot go on (RFC 7208 §2.6.6 and §2.6.7). */
export interface SpfError {
  readonly result: 'temperror' | 'permerror'
  readonly problem: string
  /** Too many lookups, or too long: no mechanism may pass over that. */
  readonly isLimit?: true
}

/** The records that were found; none where there are none. */
export type SpfFound<Type extends DnsRecordType> = readonly DnsRecords[Type][] | SpfError

/** The DNS, as far as one evaluation may ask it (RFC 7208 §4.6.4). */
export interface SpfLookups {
  /** To be said of each term and macro that needs the DNS, before it asks; an error where there are too many. */
  count(): SpfError | undefined
  lookUp<Type extends DnsRecordType>(type: Type, name: string): Promise<SpfFound<Type>>
  /** The first question of a term or macro: finding nothing is forgiven twice. */
  lookUpForTerm<Type extends DnsRecordType>(type: Type, name: string): Promise<SpfFound<Type>>
  /** Whether there were answers, and DNSSEC vouches for all of them. */
  isAuthentic(): boolean
}

/** RFC 7208 §4.6.4. */
const MOST_TERMS = 10
const MOST_VOID_LOOKUPS = 2
/** No question is asked later than this after the beginning; the last answer may take its time. */
const LONGEST_MS = 20 * SECOND

/** Counts from nothing; the time counts from `startedAt`. */
export function spfLookups(
  ports: { readonly resolver: Resolver; readonly clock: Clock },
  startedAt: Instant,
): SpfLookups {
  const { resolver, clock } = ports
  const answers = { some: false, authentic: true }
  let terms = 0
  let voidLookups = 0

  async function lookUp<Type extends DnsRecordType>(type: Type, name: string): Promise<SpfFound<Type>> {
    if (clock.now() - startedAt >= LONGEST_MS) return limit('temperror', 'the lookups take too long')
    const answer = await resolver.lookUp(type, name)
    answers.some = true
    answers.authentic &&= answer.kind !== 'failed' && answer.authentic
    if (answer.kind === 'failed') return { result: 'temperror', problem: answer.error }
    return answer.kind === 'found' ? answer.values : []
  }

  return {
    count: () => {
      terms += 1
      return terms > MOST_TERMS ? limit('permerror', `more than ${MOST_TERMS} terms need the DNS`) : undefined
    },
    lookUp,
    lookUpForTerm: async (type, name) => {
      const found = await lookUp(type, name)
      if (isSpfError(found) || found.length > 0) return found
      voidLookups += 1
      return voidLookups > MOST_VOID_LOOKUPS
        ? limit('permerror', `more than ${MOST_VOID_LOOKUPS} lookups found nothing`)
        : found
    },
    isAuthentic: () => answers.some && answers.authentic,
  }
}

/** Tells errors from what was asked for. */
export function isSpfError(value: unknown): value is SpfError {
  return typeof value === 'object' && value !== null && 'problem' in value
}

function limit(result: SpfError['result'], problem: string): SpfError {
  return { result, problem, isLimit: true }
}
