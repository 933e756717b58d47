import type { Instant } from '../base/clock.ts'
import { verifyDane } from '../dane/verify.ts'
import type { TlsAssociation } from '../dns/resolver.ts'
import type { TlsDemands } from './decide-tls.ts'
import type { TlsFailure } from './tls-failure.ts'

/** What a server is held against. */
export interface PeerExpectation {
  readonly host: string
  readonly demands: TlsDemands
  /** Its TLSA records; none where there is no DANE. */
  readonly records: readonly TlsAssociation[]
  /** The names that count for DANE-TA (RFC 7672 §3.2.2). */
  readonly names: readonly string[]
  readonly now: Instant
}

/** What a server showed: its certificates (DER), its own first, and what WebPKI has against them. */
interface Proof {
  readonly chain: readonly Uint8Array[]
  readonly webPkiFailure?: TlsFailure
}

/** What a server's proof is worth, also where nobody demanded it. */
export interface PeerAssessment {
  /** Why its TLSA records do not vouch for it; left out where they do, or do not count. */
  readonly daneFailure?: TlsFailure
  readonly webPkiFailure?: TlsFailure
  /** Why no message may go there. */
  readonly refusal?: TlsFailure
  /** What vouches for it of all that was demanded; left out where nothing was, or it does not. */
  readonly verifiedBy?: 'DANE' | 'WebPKI' | 'DANE and WebPKI'
}

/** Looks at what a server showed in its handshake, by all that is demanded or reported. */
export function assessPeer(expectation: PeerExpectation, proof: Proof): PeerAssessment {
  const { demands } = expectation
  const daneFailure = demands.dane === 'none' ? undefined : whyNotByDane(expectation, proof)
  const { webPkiFailure } = proof
  const demanded = [
    ...(demands.dane === 'verify' ? [{ by: 'DANE', failure: daneFailure } as const] : []),
    ...(demands.webPki === 'verify' ? [{ by: 'WebPKI', failure: webPkiFailure } as const] : []),
  ]
  const refusal = demanded.find(({ failure }) => failure !== undefined)?.failure
  const [first, second] = demanded
  const verifiedBy = second ? 'DANE and WebPKI' : first?.by
  return {
    ...(daneFailure && { daneFailure }),
    ...(webPkiFailure && { webPkiFailure }),
    ...(refusal ? { refusal } : verifiedBy && { verifiedBy }),
  }
}

function whyNotByDane(
  { host, records, names, now }: PeerExpectation,
  { chain }: Proof,
): TlsFailure | undefined {
  const result = verifyDane(records, chain, { names, now })
  if (result.kind === 'verified') return undefined
  const text = `DANE does not vouch for ${host}: ${result.reason}`
  return { resultType: 'validation-failure', text, reason: 'dane-no-match' }
}
