import type { Instant } from '../base/clock.ts'
import type { StsPolicy } from './policy.ts'

/** What is remembered of a domain. */
export interface StoredPolicy {
  /** Of the record that led to the policy. */
  readonly recordId: string
  /** Left out: it could not be had. */
  readonly policy?: StsPolicy
  /** Then it is forgotten. */
  readonly validUntilAt: Instant
  /** Before that it is not asked for again: the last time failed. */
  readonly retryAt?: Instant
}

/** Port: remembers the policies of domains; what is beyond its time may be there still. */
export interface PolicyStore {
  /** Asked when there is mail for the domain: the store remembers the day of it. */
  get(domain: string): Promise<StoredPolicy | undefined>
  /**
   * Of what was fetched the latest stays. That a policy could not be had (`retryAt`) takes the place of no policy that
   * is valid: of that it is only noted, and where another one was fetched meanwhile, not even that.
   */
  put(domain: string, stored: StoredPolicy): Promise<void>
}
