import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { TlsFailure } from '../../transport-security/tls-failure.ts'
import { connectionReason } from './connection-reason.ts'
import { whyNotFor } from './server-identity.ts'

/** A server's certificate is looked at for that host and refused by nobody: what it is worth is for others to say. */
export function unjudgedTls(host: string): ConnectionOptions {
  return {
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    checkServerIdentity: (_serverName, certificate) => whyNotFor(host, certificate),
  }
}

/** What keeps a certificate from being one of a trusted authority for the host; undefined when nothing does. */
export function webPkiFailure(socket: TLSSocket, place: string): TlsFailure | undefined {
  if (socket.authorized) return undefined
  // It is a text, whatever the types say: the code, which names what OpenSSL or Node found.
  const code = String(socket.authorizationError)
  const text = `TLS handshake with ${place}: ${connectionReason(code) ?? `certificate not accepted (${code})`}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return { resultType: 'certificate-host-mismatch', text, reason: '' }
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return { resultType: 'certificate-expired', text, reason: '' }
  }
  const reason = UNKNOWN_AUTHORITY.test(code) ? '' : dashed(code)
  return { resultType: 'certificate-not-trusted', text, reason }
}

const UNKNOWN_AUTHORITY =
  /^(?:UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT_IN)/

/** The failure-reason-code of a handshake that came to nothing, of what ended it. */
export function handshakeReason(error: Error): string {
  const {
    code = '',
    originalCode = '',
    timeoutType,
  } = error as Error & {
    readonly code?: string
    readonly originalCode?: string
    readonly timeoutType?: string
  }
  const cause = originalCode || code
  const alert = alertOf(error)
  if (alert !== undefined) return `tls-remote-alert-${alert}-${ALERTS.get(alert) ?? 'unknown'}`
  if (cause === 'ERR_SSL_UNSUPPORTED_PROTOCOL') return 'tls-local-alert-70-protocol-version'
  if (NOT_TLS.test(cause)) return 'tls-record-header-error'
  if (cause.startsWith('ERR_SSL_')) return dashed(cause)
  if (timeoutType !== undefined || cause === 'ETIMEDOUT' || isTimeUp(error)) {
    return 'io-timeout-during-handshake'
  }
  return 'connection-closed-during-handshake'
}

/**
 * The alert of the server that an error is about (RFC 8446 §6), if it is. A TLS 1.3 client hears of what the server
 * did not like only when it reads next, after the handshake.
 */
export function alertOf({ message }: Error): number | undefined {
  const [, number] = /SSL alert number (\d+)/.exec(message) ?? []
  return number === undefined ? undefined : Number(number)
}

/** Says whether an error is of a signal whose time was up. */
export function isTimeUp({ name }: Error): boolean {
  return name === 'TimeoutError'
}

const NOT_TLS =
  /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL|BAD_RECORD_TYPE|RECORD_TOO_SMALL)$/

function dashed(code: string): string {
  return code.toLowerCase().replaceAll('_', '-')
}

/** RFC 8446 §6, and of RFC 5246 §7.2 what servers still say. */
const ALERTS: ReadonlyMap<number, string> = new Map([
  [0, 'close-notify'],
  [10, 'unexpected-message'],
  [20, 'bad-record-mac'],
  [22, 'record-overflow'],
  [40, 'handshake-failure'],
  [42, 'bad-certificate'],
  [43, 'unsupported-certificate'],
  [44, 'certificate-revoked'],
  [45, 'certificate-expired'],
  [46, 'certificate-unknown'],
  [47, 'illegal-parameter'],
  [48, 'unknown-ca'],
  [49, 'access-denied'],
  [50, 'decode-error'],
  [51, 'decrypt-error'],
  [70, 'protocol-version'],
  [71, 'insufficient-security'],
  [80, 'internal-error'],
  [86, 'inappropriate-fallback'],
  [90, 'user-canceled'],
  [100, 'no-renegotiation'],
  [109, 'missing-extension'],
  [110, 'unsupported-extension'],
  [112, 'unrecognized-name'],
  [113, 'bad-certificate-status-response'],
  [115, 'unknown-psk-identity'],
  [116, 'certificate-required'],
  [120, 'no-application-protocol'],
])
