const reasons: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the host',
  ENOTFOUND: 'the host name does not exist',
  EPIPE: 'connection closed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another host name',
  ETIMEDOUT: 'timed out',
}

const CERTIFICATE_FAULT = /CERT|^UNABLE_TO_|CRL|^HOSTNAME_MISMATCH$/
/** What the other side did not like (RFC 8446 §6), perhaps a certificate of ours, or that there is none. */
const ALERT = /_ALERT_/
const PROTOCOL_FAULT = /SSL|TLS|^EPROTO$/

/**
 * Says in public words what the `code` of a socket's error means; undefined for one that is not about
 * connections. The messages of such errors are not public: they name the addresses behind a host name.
 */
export function connectionReason(code: string): string | undefined {
  if (reasons[code] !== undefined) return reasons[code]
  if (CERTIFICATE_FAULT.test(code) && !ALERT.test(code)) return `certificate not accepted (${code})`
  if (PROTOCOL_FAULT.test(code)) return `TLS handshake failed (${code})`
  return undefined
}
