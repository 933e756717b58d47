/** Why the policy of a domain is not known, or not as it is now: for people, and for a TLS report (RFC 8460 §4.3). */
export interface StsProblem {
  readonly text: string
  /** RFC 8460 §4.3.2.2. */
  readonly resultType: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'
  /** The failure-reason-code. */
  readonly reason: string
}
