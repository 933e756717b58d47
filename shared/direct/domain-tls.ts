/** Port: remembers for an account which TLS it met at the servers of a domain. Never throws. */
export interface DomainTls {
  note(account: string, domain: string, support: TlsSupport): Promise<void>
}

/** What the server of the last session had to offer. */
export interface TlsSupport {
  /** TLS after STARTTLS, and it worked. */
  readonly starttls: boolean
  /** RFC 8689. */
  readonly requiretls: boolean
}
