import { type Clock, type Instant, MINUTE, SECOND } from '../base/clock.ts'
import type { Resolver } from '../dns/resolver.ts'
import { fetchPolicy, validUntil } from './fetch-policy.ts'
import { type FoundRecord, findStsRecord } from './find-record.ts'
import type { StsPolicy } from './policy.ts'
import type { PolicyFetcher } from './policy-fetcher.ts'
import type { PolicyStore, StoredPolicy } from './policy-store.ts'
import type { StsProblem } from './problem.ts'
import type { StsRecord } from './record.ts'

export interface GetPolicyPorts {
  readonly resolver: Resolver
  readonly fetcher: PolicyFetcher
  readonly store: PolicyStore
  readonly clock: Clock
}

/** What is known of a domain's policy now. */
export type PolicyAnswer =
  | {
      readonly kind: 'found'
      readonly policy: StsPolicy
      /** The policy is that of the record that is in the DNS now; else `problem` says why an older one counts. */
      readonly isFresh: boolean
      readonly problem?: StsProblem
      /** Left out where the DNS has none now. */
      readonly record?: StsRecord
    }
  /** Mail goes as if the domain had none; the problem is reported unless there simply is no record. */
  | { readonly kind: 'none'; readonly problem: StsProblem; readonly record?: StsRecord }
  /** Nobody knows whether there is one: mail must wait. */
  | { readonly kind: 'failed'; readonly problem: StsProblem }

/** RFC 8461 §3.3: five minutes or longer. */
const RETRY_MS = 5 * MINUTE
const FIRST_FETCH_MS = MINUTE
/** Who has a policy waits less for a newer one. */
const LATER_FETCH_MS = 30 * SECOND

const BACK_OFF: StsProblem = {
  text: 'the policy could not be had some minutes ago, and is not asked for again yet',
  resultType: 'sts-policy-fetch-error',
  reason: 'back-off-after-recent-fetch-error',
}

/**
 * The policy of a domain (RFC 8461 §3.3, §5.1). One that is remembered counts until its end, whatever becomes of record
 * and policy host meanwhile: who can block them must not turn MTA-STS off (§10.2). Another record is another policy,
 * which is fetched; after a failure not for five minutes.
 */
export async function getPolicy(ports: GetPolicyPorts, domain: string): Promise<PolicyAnswer> {
  const now = ports.clock.now()
  const stored = await ports.store.get(domain)
  const isValid = stored !== undefined && stored.validUntilAt > now
  if (!isValid) return await getFirst(ports, domain)
  const { policy } = stored
  if (!policy) return { kind: 'none', problem: BACK_OFF }
  return await getAgain(ports, domain, { ...stored, policy })
}

async function getFirst(ports: GetPolicyPorts, domain: string): Promise<PolicyAnswer> {
  const found = await findStsRecord(ports.resolver, domain)
  if (found.kind !== 'found') return found
  const { record } = found
  const fetched = await fetchPolicy(ports.fetcher, domain, FIRST_FETCH_MS)
  const now = ports.clock.now()
  if (fetched.policy) return await keep(ports, domain, record, fetched.policy)
  const retryAt = now + RETRY_MS
  await ports.store.put(domain, { recordId: record.id, validUntilAt: retryAt, retryAt })
  return { kind: 'none', problem: fetched.problem, record }
}

async function getAgain(
  ports: GetPolicyPorts,
  domain: string,
  stored: StoredPolicy & { readonly policy: StsPolicy },
): Promise<PolicyAnswer> {
  const found = await findStsRecord(ports.resolver, domain)
  if (found.kind !== 'found') return olderPolicy(stored.policy, found, found.problem)
  const { record } = found
  if (record.id === stored.recordId) return { kind: 'found', policy: stored.policy, isFresh: true, record }
  if (isEarly(stored.retryAt, ports.clock.now())) return olderPolicy(stored.policy, found, BACK_OFF)
  const fetched = await fetchPolicy(ports.fetcher, domain, LATER_FETCH_MS)
  if (fetched.policy) return await keep(ports, domain, record, fetched.policy)
  await ports.store.put(domain, { ...stored, retryAt: ports.clock.now() + RETRY_MS })
  return olderPolicy(stored.policy, found, fetched.problem)
}

function isEarly(retryAt: Instant | undefined, now: Instant): boolean {
  return retryAt !== undefined && retryAt > now
}

async function keep(
  { store, clock }: GetPolicyPorts,
  domain: string,
  record: StsRecord,
  policy: StsPolicy,
): Promise<PolicyAnswer> {
  await store.put(domain, { recordId: record.id, policy, validUntilAt: validUntil(policy, clock.now()) })
  return { kind: 'found', policy, isFresh: true, record }
}

/** What says that a policy counts although there is a problem; one of the mode `none` asks for nothing anyway. */
function olderPolicy(policy: StsPolicy, found: FoundRecord, problem: StsProblem): PolicyAnswer {
  const suffix = policy.mode === 'none' ? '' : '+fallback-to-cached-policy'
  return {
    kind: 'found',
    policy,
    isFresh: false,
    problem: { ...problem, reason: `${problem.reason}${suffix}` },
    ...(found.kind === 'found' && { record: found.record }),
  }
}
