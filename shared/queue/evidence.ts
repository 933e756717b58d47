/** The server that an attempt spoke with. */
export interface Remote {
  /** As the relay is configured, or as the MX of the domain names it. */
  readonly host: string
  readonly ipAddress: string
  /** Left out where the session was not encrypted. */
  readonly tls?: RemoteTls
}

/** How a session was encrypted. */
export interface RemoteTls {
  /** Such as `TLSv1.3`. */
  readonly protocol: string
  /** Its IANA name. */
  readonly cipher: string
  readonly isVerified: boolean
  /** What vouched for the server, where that was demanded. */
  readonly verifiedBy?: 'DANE' | 'WebPKI' | 'DANE and WebPKI'
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
