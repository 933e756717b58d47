/** What most scenarios expect, in the words of `Observed`. */
export const lines = {
  domain: 'no-policy-found x.test',
  host: 'no-policy-found host mx.x.test',
  sts: 'sts x.test',
  tlsa: 'tlsa host mx.x.test',
  untrusted: 'certificate-not-trusted 0',
  acceptedIn: (what: string, host = 'mx') => `accepted 250 2.0.0 at ${host}.x.test, ${what}`,
  /** What WebPKI has against a server. */
  notAccepted: (why: string) =>
    `temporary at mx.x.test, TLS: TLS handshake with mx.x.test:25: certificate ${why}`,
  brokenHandshake:
    'TLS handshake with mx.x.test:25: TLS handshake failed (ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE)',
  alert: 'validation-failure tls-remote-alert-40-handshake-failure 1',
} as const

/** A session with a server that nobody vouches for. */
export const opportunistic = {
  outcomes: [lines.acceptedIn('TLS')],
  sessions: ['mx MAIL in TLS'],
  reports: [`${lines.domain}: 1; ${lines.untrusted}`, `${lines.host}: 1`],
  remembered: 'TLS',
} as const
