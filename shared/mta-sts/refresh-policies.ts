import { type Clock, HOUR, MINUTE, SECOND } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from '../dns/resolver.ts'
import { fetchPolicy, validUntil } from './fetch-policy.ts'
import { findStsRecord } from './find-record.ts'
import type { KnownPolicies, KnownPolicy } from './known-policies.ts'
import type { PolicyFetcher } from './policy-fetcher.ts'
import type { PolicyStore } from './policy-store.ts'

export interface RefreshPoliciesPorts {
  readonly resolver: Resolver
  readonly fetcher: PolicyFetcher
  readonly known: KnownPolicies
  readonly store: Pick<PolicyStore, 'put'>
  readonly clock: Clock
  readonly random: Random
  /** Waits for so many milliseconds, or until the signal says that nobody is interested any more. */
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  readonly log: Log
}

/** What became of a policy that was looked at: `kept` as it is, because nothing could be learned. */
type Refreshed = 'extended' | 'fetched' | 'forgotten' | 'kept'

/** How many policies became what; `left`: there was no time for them. */
export type RefreshCounts = Readonly<Record<Refreshed | 'left', number>>

/** Between two looks at a policy. A draw for each spreads them; the later bound is before a max_age of a day ends. */
const EARLIEST_MS = 12 * HOUR
const LATEST_MS = 22 * HOUR

const UNUSED_MS = 180 * 24 * HOUR
/** A turn ends before the next one, an hour later, may begin. */
const TURN_MS = 55 * MINUTE
const LONGEST_MS = 50 * MINUTE
/** On average, where there is time for it. */
const PAUSE_MS = 5 * SECOND
const FETCH_MS = 30 * SECOND
/** RFC 8461 §3.3: five minutes or longer. */
const RETRY_MS = 5 * MINUTE
const PAGE = 500

/**
 * Looks at the policies of which nobody knows whether they are the domain's still (RFC 8461 §10.2 wants them refreshed
 * before they end), each about once a day; forgets those that no mail needed for 180 days. To be called once an hour by
 * each process that has the ports: one of them has the turn, the others are answered undefined. Ends within 50 minutes,
 * and soon after an abort of the signal; what was left is due the next time.
 */
export async function refreshPolicies(
  ports: RefreshPoliciesPorts,
  signal: AbortSignal,
): Promise<RefreshCounts | undefined> {
  const { clock, random, known, wait } = ports
  const startedAt = clock.now()
  if (!(await known.takeTurn(startedAt + TURN_MS))) return undefined
  const due = inRandomOrder(await duePolicies(ports), random)
  const counts = { extended: 0, fetched: 0, forgotten: 0, kept: 0, left: due.length }
  const pauseMs = Math.min(PAUSE_MS, LONGEST_MS / due.length)
  for (const policy of due) {
    if (signal.aborted || clock.now() >= startedAt + LONGEST_MS) break
    counts[await refreshLogged(ports, policy)] += 1
    counts.left -= 1
    if (counts.left > 0) await wait(2 * pauseMs * random.fraction(), signal)
  }
  return counts
}

async function duePolicies({ known, clock, random }: RefreshPoliciesPorts): Promise<readonly KnownPolicy[]> {
  const due: KnownPolicy[] = []
  let page: readonly KnownPolicy[] = []
  do {
    page = await known.list(page.at(-1)?.domain, PAGE)
    const drawnMs = () => EARLIEST_MS + random.fraction() * (LATEST_MS - EARLIEST_MS)
    due.push(...page.filter(({ checkedAt }) => checkedAt <= clock.now() - drawnMs()))
  } while (page.length === PAGE)
  return due
}

/** Neither policy hosts nor resolvers are asked in an order that says whom we send mail to first. */
function inRandomOrder(policies: readonly KnownPolicy[], random: Random): readonly KnownPolicy[] {
  return policies
    .map((policy) => ({ policy, lot: random.fraction() }))
    .sort((one, other) => one.lot - other.lot)
    .map(({ policy }) => policy)
}

/** One policy that cannot be written does not keep the others from being looked at. */
async function refreshLogged(ports: RefreshPoliciesPorts, policy: KnownPolicy): Promise<Refreshed> {
  try {
    return await refresh(ports, policy)
  } catch (error) {
    ports.log.error('MTA-STS policy not refreshed', error, { domain: policy.domain })
    return 'kept'
  }
}

async function refresh(ports: RefreshPoliciesPorts, policy: KnownPolicy): Promise<Refreshed> {
  const { resolver, fetcher, known, store, clock } = ports
  if (policy.usedAt <= clock.now() - UNUSED_MS) return await forget(known, policy)
  const found = await findStsRecord(resolver, policy.domain)
  if (found.kind === 'failed') return 'kept'
  // RFC 8461 §8.3: who takes MTA-STS back says none before the record goes. Any other policy counts until its end.
  if (found.kind === 'none') return policy.policy.mode === 'none' ? await forget(known, policy) : 'kept'
  const { id: recordId } = found.record
  if (recordId === policy.recordId) {
    await known.extend(policy, validUntil(policy.policy, clock.now()))
    return 'extended'
  }
  const fetched = await fetchPolicy(fetcher, policy.domain, FETCH_MS)
  if (!fetched.policy) {
    const { policy: older, validUntilAt } = policy
    const retryAt = clock.now() + RETRY_MS
    await store.put(policy.domain, { recordId: policy.recordId, policy: older, validUntilAt, retryAt })
    return 'kept'
  }
  const validUntilAt = validUntil(fetched.policy, clock.now())
  await store.put(policy.domain, { recordId, policy: fetched.policy, validUntilAt })
  return 'fetched'
}

async function forget(known: KnownPolicies, policy: KnownPolicy): Promise<Refreshed> {
  await known.forget(policy)
  return 'forgotten'
}
