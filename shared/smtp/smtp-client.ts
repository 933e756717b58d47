/** What is known of an SMTP client, from its connection and its greeting. */
export interface SmtpClient {
  readonly ipAddress: string
  /** Its EHLO or HELO name; it may be anything. Without control characters, at most 255 of them. */
  readonly hello: string
  /** `SMTP`, `ESMTP`, `ESMTPSA`, `UTF8SMTPS`, … (RFC 3848, RFC 6531 §4.3). */
  readonly protocol: string
  /** Names the session in its banner, in each refusal and in the log. */
  readonly sessionId: string
  readonly tls?: TlsFacts
}

/** How a session is encrypted. */
export interface TlsFacts {
  /** Such as `TLSv1.3`. */
  readonly protocol: string
  /** Its IANA name. */
  readonly cipher: string
}
