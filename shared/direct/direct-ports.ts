import type { OptionsStore } from '../account/options-store.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { PolicyFetcher } from '../mta-sts/policy-fetcher.ts'
import type { PolicyStore } from '../mta-sts/policy-store.ts'
import type { DomainTls } from '../tls-results/domain-tls.ts'
import type { TlsResults } from '../tls-results/tls-results.ts'
import type { KeptSessions } from './kept-sessions.ts'
import type { SessionDialer } from './sessions.ts'
import type { Wait } from './time-limit.ts'

/** What direct delivery needs of the world. */
export interface DirectPorts {
  readonly resolver: Resolver
  readonly random: Random
  readonly clock: Clock
  readonly wait: Wait
  readonly log: Log
  /** Which domains are ours. */
  readonly options: Pick<OptionsStore, 'read'>
  readonly fetcher: PolicyFetcher
  /** The MTA-STS policies that are remembered. */
  readonly store: PolicyStore
  readonly dialer: SessionDialer
  readonly kept: KeptSessions
  readonly tlsResults: TlsResults
  readonly domainTls: DomainTls
  /**
   * Why an address must not be connected to, in words that follow it; undefined where it may. Whoever is sent mail names
   * the hosts, and could name ones behind us.
   */
  readonly whyNotReachable: (ipAddress: string) => string | undefined
  /** Where servers listen; 25 where this is left out. */
  readonly port?: number
  /** The addresses that servers see us come from, as far as they are known: for TLS reports. */
  readonly egressAddresses?: readonly string[]
}
