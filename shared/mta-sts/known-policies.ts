import type { Instant } from '../base/clock.ts'
import type { StsPolicy } from './policy.ts'
import type { StoredPolicy } from './policy-store.ts'

/** A policy that is remembered, as the refresh sees it; what could not be had is none. */
export interface KnownPolicy extends StoredPolicy {
  readonly domain: string
  readonly policy: StsPolicy
  /** When it was last fetched, or last found to be that of the record in the DNS. */
  readonly checkedAt: Instant
  /** When there was mail for the domain, less than a day after this. */
  readonly usedAt: Instant
}

/** Port: the policies that a `PolicyStore` remembers, for the refresh. */
export interface KnownPolicies {
  /** Takes the turn until an instant; false where another process has it. Who has it need not give it back. */
  takeTurn(untilAt: Instant): Promise<boolean>
  /** Those that are valid, by domain: so many after a domain, or from the first on. */
  list(after: string | undefined, limit: number): Promise<readonly KnownPolicy[]>
  /** The record in the DNS is that of the policy still: it counts until an instant. Nothing where it is another one. */
  extend(known: KnownPolicy, validUntilAt: Instant): Promise<void>
  /** Nothing where it was checked or used meanwhile. */
  forget(known: KnownPolicy): Promise<void>
}
