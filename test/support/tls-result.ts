import type { TlsFailureDetail, TlsResult } from '../../shared/tls-results/tls-results.ts'

/** One session with mx.x.example that succeeded, for mail to x.example, without policy. */
export function tlsResult(more: Partial<TlsResult> = {}): TlsResult {
  return {
    policyDomain: 'x.example',
    recipientDomain: 'x.example',
    policyType: 'no-policy-found',
    policyStrings: [],
    mxHosts: [],
    isHost: false,
    success: 1,
    failures: [],
    ...more,
  }
}

/** A session that failed at mx.x.example. */
export function tlsFailure(more: Partial<TlsFailureDetail> = {}): TlsFailureDetail {
  return {
    resultType: 'certificate-expired',
    text: 'the certificate of mx.x.example has expired',
    reason: '',
    receivingHost: 'mx.x.example',
    receivingIp: '192.0.2.1',
    count: 1,
    ...more,
  }
}
