import type { TlsFailure } from '../transport-security/tls-failure.ts'

/** What TLS came to in sessions with the servers of a domain, under one policy (RFC 8460 §4.4). */
export interface TlsResult {
  /** Whose policy it is, and who hears of it: the recipients' domain, or where a host's TLSA records are. */
  readonly policyDomain: string
  readonly recipientDomain: string
  readonly policyType: 'tlsa' | 'sts' | 'no-policy-found'
  /** The policy itself: lines of an MTA-STS policy, or TLSA records as zone files have them. */
  readonly policyStrings: readonly string[]
  /** The patterns of an MTA-STS policy, or the host that the result is about. */
  readonly mxHosts: readonly string[]
  /** It is about one host, not about the recipients' domain. */
  readonly isHost: boolean
  /** Sessions in which all was as it should be. */
  readonly success: number
  readonly failures: readonly TlsFailureDetail[]
}

/** What went wrong with one server (RFC 8460 §4.4). */
export interface TlsFailureDetail extends TlsFailure {
  readonly sendingIp?: string
  /** The MX host; empty where no host was found. */
  readonly receivingHost: string
  readonly receivingIp?: string
  /** Sessions that failed by it; 0 of what is worth telling although it made none fail. */
  readonly count: number
}

/** Port: keeps what TLS came to. Never throws: what is lost costs a line of a report, never a delivery. */
export interface TlsResults {
  note(results: readonly TlsResult[]): Promise<void>
}
