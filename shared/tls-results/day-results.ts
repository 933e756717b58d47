import { parseIpAddress } from '../address/ip-address.ts'
import type { Instant } from '../base/clock.ts'
import { hostName } from '../dns/names.ts'
import type { TlsFailureDetail, TlsResult } from './tls-results.ts'

/** All that is known of a day, a recipient domain and a policy domain: one row. */
export interface DayResults {
  /** In UTC, such as `20260601`: the period of a report (RFC 8460 §4.1). */
  readonly day: string
  readonly recipientDomain: string
  readonly policyDomain: string
  readonly isHost: boolean
  /** Each policy that was met on that day, such as before and after it changed. */
  readonly policies: readonly PolicyResults[]
}

/** What TLS came to under one policy. */
export type PolicyResults = Pick<
  TlsResult,
  'policyType' | 'policyStrings' | 'mxHosts' | 'success' | 'failures'
>

/**
 * What remote servers say is bounded, so that a row stays below the 400 KB of an item, whatever they say. What is
 * beyond is counted under the last policy, or the last kind of failure of the policy.
 */
const MOST_POLICIES = 10
const MOST_STRINGS = 50
const MOST_HOSTS = 20
/** Kinds of failure, of all policies of a row. */
const MOST_KINDS = 100
/** In octets. */
const longest = { policy: 10_000, string: 2_000, host: 253, ip: 64, text: 300, reason: 100 } as const

/** The day of an instant in UTC, such as `20260601`. */
export function dayOf(instant: Instant): string {
  return new Date(instant).toISOString().slice(0, 10).replaceAll('-', '')
}

/** The inverse of {@link dayOf}: when the day begins. */
export function startOfDay(day: string): Instant {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6, 8)))
}

/**
 * The results of one attempt, by row. Of what has no name that could be a key, such as an address literal, none are
 * kept; and of a host that is the recipient domain itself and has TLSA records nobody says that it has no policy.
 */
export function byDayResults(results: readonly TlsResult[], day: string): readonly DayResults[] {
  const hasTlsa = new Set(results.flatMap((each) => (each.policyType === 'tlsa' ? [each.policyDomain] : [])))
  return results.flatMap((result) => {
    const [recipientDomain, policyDomain] = [keyName(result.recipientDomain), keyName(result.policyDomain)]
    if (recipientDomain === undefined || policyDomain === undefined) return []
    const isShadowed = result.policyType === 'no-policy-found' && hasTlsa.has(result.policyDomain)
    if (isShadowed && recipientDomain === policyDomain) return []
    const name = { day, recipientDomain, policyDomain, isHost: result.isHost }
    return [mergeDays({ ...name, policies: [] }, { ...name, policies: [result] })]
  })
}

/** Both together, which are of the same row: what is of the same policy, and of the same kind, is added up. */
export function mergeDays(one: DayResults, other: DayResults): DayResults {
  const policies = other.policies.map(bounded).reduce(addPolicy, one.policies)
  return { ...one, isHost: one.isHost || other.isHost, policies }
}

function keyName(text: string): string | undefined {
  return parseIpAddress(text) ? undefined : hostName(text)
}

function bounded(policy: PolicyResults): PolicyResults {
  const strings = policy.policyStrings.slice(0, MOST_STRINGS).map((text) => cut(text, longest.string))
  const lengths = strings.map((_, place) => Buffer.byteLength(strings.slice(0, place + 1).join('')))
  return {
    policyType: policy.policyType,
    policyStrings: strings.filter((_, place) => (lengths[place] ?? 0) <= longest.policy),
    mxHosts: policy.mxHosts.slice(0, MOST_HOSTS).map((host) => cut(host, longest.host)),
    success: policy.success,
    failures: policy.failures.map(boundedFailure),
  }
}

function boundedFailure(failure: TlsFailureDetail): TlsFailureDetail {
  const { resultType, text, reason, sendingIp, receivingHost, receivingIp, count } = failure
  return {
    resultType,
    text: cut(text, longest.text),
    reason: cut(reason, longest.reason),
    ...(sendingIp !== undefined && { sendingIp: cut(sendingIp, longest.ip) }),
    receivingHost: cut(receivingHost, longest.host),
    ...(receivingIp !== undefined && { receivingIp: cut(receivingIp, longest.ip) }),
    count,
  }
}

function cut(text: string, length: number): string {
  // A character that is cut in two becomes U+FFFD.
  return Buffer.from(text).subarray(0, length).toString()
}

function addPolicy(policies: readonly PolicyResults[], added: PolicyResults): readonly PolicyResults[] {
  const same = policies.findIndex((each) => policyKey(each) === policyKey(added))
  const place = same < 0 && policies.length >= MOST_POLICIES ? policies.length - 1 : same
  const others = policies.filter((_, index) => index !== place)
  const kinds = others.flatMap(({ failures }) => failures).length
  const known = policies[place] ?? { ...added, success: 0, failures: [] }
  const merged = {
    ...known,
    success: known.success + added.success,
    failures: added.failures.reduce(
      (failures, failure) => addFailure(failures, failure, MOST_KINDS - kinds),
      known.failures,
    ),
  }
  return place < 0 ? [...policies, merged] : policies.with(place, merged)
}

/** Each policy may have one kind of failure, however many the others have. */
function addFailure(
  failures: readonly TlsFailureDetail[],
  added: TlsFailureDetail,
  most: number,
): readonly TlsFailureDetail[] {
  const same = failures.findIndex((each) => kindKey(each) === kindKey(added))
  const place = same < 0 && failures.length >= most ? failures.length - 1 : same
  const known = failures[place]
  return known ? failures.with(place, { ...known, count: known.count + added.count }) : [...failures, added]
}

/** The DNS gives records in an order of its own, each time. */
function policyKey({ policyType, policyStrings, mxHosts }: PolicyResults): string {
  return JSON.stringify([policyType, policyStrings.toSorted(), mxHosts.toSorted()])
}

function kindKey(failure: TlsFailureDetail): string {
  const { resultType, text, reason, sendingIp = '', receivingHost, receivingIp = '' } = failure
  return JSON.stringify([resultType, text, reason, sendingIp, receivingHost, receivingIp])
}
