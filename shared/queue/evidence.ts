/** The server that an attempt spoke with. */
export interface Remote {
  /** As the relay is configured, or as the MX of the domain names it. */
  readonly host: string
  readonly ipAddress: string
  /** Left out where the session was not encrypted. `protocol` is such as `TLSv1.3`, `cipher` has its IANA name. */
  readonly tls?: { readonly protocol: string; readonly cipher: string; readonly isVerified: boolean }
}

/** What an attempt leaves for whoever wants to know how its result came about. */
export interface Evidence {
  /** Undefined when no connection was made. */
  readonly remote?: Remote
  /** The reply that decided, without its code, as one line of at most 1000 characters; empty if there was none. */
  readonly reply: string
  /**
   * Of an attempt that did not succeed: what was said, a line each, such as `17 S: 250 2.1.0 ok` (milliseconds since
   * the attempt began, client or server), without content and credentials; at most 4096 characters with line ends,
   * and `…` where lines were left out. Other recipients of the transaction appear in it.
   */
  readonly transcript?: readonly string[]
}
