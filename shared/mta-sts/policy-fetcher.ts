import type { ExtendedDnsError } from '../dns/resolver.ts'

/** What came of asking the policy host of a domain (RFC 8461 §3.3). */
export type FetchedPolicy =
  /** Whatever it says. */
  | { readonly kind: 'fetched'; readonly text: string }
  /** There is none: no such host, or the server knows no such page. */
  | { readonly kind: 'none'; readonly problem: string }
  | FailedFetch

/** Nothing is known; later it may be. */
export interface FailedFetch {
  readonly kind: 'failed'
  /** In public words. */
  readonly problem: string
  /** Where the certificate was not accepted, why (RFC 8460 §4.3.1). */
  readonly certificate?: 'certificate-expired' | 'certificate-host-mismatch' | 'certificate-not-trusted'
  /** Where the name of the host could not be looked up, what the resolver said besides. */
  readonly extended?: ExtendedDnsError
}

/**
 * Port: gets `https://mta-sts.<domain>/.well-known/mta-sts.txt`. Resolves always; after the name of
 * the host was looked up, within that time.
 */
export interface PolicyFetcher {
  fetch(domain: string, longestMs: number): Promise<FetchedPolicy>
}
