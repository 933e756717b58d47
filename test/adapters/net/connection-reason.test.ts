import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionReason } from '../../../shared/adapters/net/connection-reason.ts'

const cases: readonly (readonly [rule: string, code: string, reason: string | undefined])[] = [
  ['an error of the network has words of its own', 'ECONNREFUSED', 'connection refused'],
  ['a certificate that is refused', 'CERT_HAS_EXPIRED', 'certificate not accepted (CERT_HAS_EXPIRED)'],
  [
    'a certificate of an authority that nobody knows',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'certificate not accepted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
  ],
  [
    'RFC 8446 §6: that a server wants a certificate of ours says nothing against its own',
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'TLS handshake failed (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)',
  ],
  [
    'a handshake that fails otherwise',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'TLS handshake failed (ERR_SSL_WRONG_VERSION_NUMBER)',
  ],
  ['what is not about connections', 'ENOENT', undefined],
]
for (const [rule, code, reason] of cases) {
  test(`reason of ${code}: ${rule}`, () => {
    assert.equal(connectionReason(code), reason)
  })
}
