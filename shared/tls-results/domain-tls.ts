/** What the servers of a domain could do when an account last had mail for it. */
export interface TlsSupport {
  /** A session was encrypted. */
  readonly starttls: boolean
  /** The server announced REQUIRETLS (RFC 8689) in an encrypted session. */
  readonly requiretls: boolean
}

/** Port: remembers what the servers of domains can do, by the account that has mail for them; for 90 days. */
export interface DomainTls {
  /** Never throws: mail does not wait for a hint. */
  note(account: string, domain: string, support: TlsSupport): Promise<void>
}
