import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assessPeer } from '../../../shared/transport-security/assess-peer.ts'
import type { TlsDemands } from '../../../shared/transport-security/decide-tls.ts'
import type { TlsFailure } from '../../../shared/transport-security/tls-failure.ts'
import { makeCertificate } from '../../support/certificates.ts'
import { associate } from '../../support/tlsa.ts'

const own = await makeCertificate({ names: ['mx.example'] })
const other = await makeCertificate({ names: ['mx.example'] })
const untrusted: TlsFailure = {
  resultType: 'certificate-not-trusted',
  text: 'mx.example: untrusted',
  reason: '',
}

type Row = readonly [
  rule: string,
  demands: Pick<TlsDemands, 'dane' | 'webPki'>,
  shows: { matches: boolean; isTrusted: boolean },
  expected: string,
]

const rows: readonly Row[] = [
  [
    'both demanded, both there',
    { dane: 'verify', webPki: 'verify' },
    { matches: true, isTrusted: true },
    'DANE and WebPKI',
  ],
  [
    'both demanded, no trusted authority',
    { dane: 'verify', webPki: 'verify' },
    { matches: true, isTrusted: false },
    'refused certificate-not-trusted; webPki',
  ],
  [
    'both demanded, no TLSA match',
    { dane: 'verify', webPki: 'verify' },
    { matches: false, isTrusted: true },
    'refused validation-failure; dane',
  ],
  [
    'RFC 7672 §2.2: with DANE no authority is asked',
    { dane: 'verify', webPki: 'report' },
    { matches: true, isTrusted: false },
    'DANE; webPki',
  ],
  [
    'RFC 8461 §5: an enforced policy asks for an authority',
    { dane: 'none', webPki: 'verify' },
    { matches: false, isTrusted: true },
    'WebPKI',
  ],
  [
    'RFC 7435: nothing is demanded of opportunistic TLS',
    { dane: 'none', webPki: 'report' },
    { matches: false, isTrusted: false },
    'unverified; webPki',
  ],
  [
    'TLS-Required: No: DANE is looked at for the report only',
    { dane: 'report', webPki: 'report' },
    { matches: false, isTrusted: true },
    'unverified; dane',
  ],
]

for (const [rule, demands, { matches, isTrusted }, expected] of rows) {
  test(rule, () => {
    const expectation = {
      host: 'mx.example',
      demands: { startTls: 'required', requireTls: false, mayGoPlain: false, ...demands } as const,
      records: [associate(3, 1, 1, matches ? own : other)],
      names: ['mx.example'],
      now: Date.now(),
    }
    const proof = { chain: [own.der], ...(!isTrusted && { webPkiFailure: untrusted }) }
    const { refusal, verifiedBy, daneFailure, webPkiFailure } = assessPeer(expectation, proof)
    const end = refusal ? `refused ${refusal.resultType}` : (verifiedBy ?? 'unverified')
    const failed = [...(daneFailure ? ['dane'] : []), ...(webPkiFailure ? ['webPki'] : [])]
    assert.equal([end, ...failed].join('; '), expected)
  })
}
