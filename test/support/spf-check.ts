import { parseAddress } from '../../shared/address/address.ts'
import { checkSpf, type SpfOutcome } from '../../shared/authentication/spf-check.ts'
import type { Clock } from '../../shared/base/clock.ts'
import { fakeClock } from './fake-clock.ts'
import { type FakeZone, fakeDns } from './fake-dns.ts'

/** Who sends, and what the DNS says of it. */
export interface SpfQuestion {
  readonly zone: FakeZone
  /** Left out: the null reverse-path. */
  readonly from?: string
  /** 192.0.2.1 where it is left out. */
  readonly ip?: string
  /** client.example where it is left out. */
  readonly hello?: string
  readonly clock?: Clock
}

/** Asks our SPF about it; `asked` are the questions it put to the DNS, each as `TYPE name`. */
export async function askSpf(question: SpfQuestion): Promise<SpfOutcome & { asked: readonly string[] }> {
  const { zone, from, ip = '192.0.2.1', hello = 'client.example', clock = fakeClock() } = question
  const resolver = fakeDns(zone)
  const outcome = await checkSpf(
    { resolver, clock, hostname: 'mx.receiver.example' },
    {
      client: { ipAddress: ip, hello, protocol: 'ESMTP', sessionId: 'a' },
      ...(from !== undefined && { mailFrom: parseAddress(from) }),
    },
  )
  return { ...outcome, asked: resolver.asked }
}
