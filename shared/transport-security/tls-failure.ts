/** What was wrong with the security of a session, for people and for a TLS report (RFC 8460 §4.3). */
export interface TlsFailure {
  /** RFC 8460 §4.3. */
  readonly resultType: TlsResultType
  /** In public words, with the host they are about. */
  readonly text: string
  /** The failure-reason-code, such as `tls-remote-alert-40-handshake-failure`; empty when there is nothing to add. */
  readonly reason: string
}

/** RFC 8460 §4.3.1 to §4.3.3. */
type TlsResultType =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  | 'tlsa-invalid'
  | 'dnssec-invalid'
  | 'dane-required'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid'
