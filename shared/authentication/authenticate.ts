import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Resolver } from '../dns/resolver.ts'
import type {
  Authentication,
  ClaimedMessage,
  DkimResult,
  DmarcResult,
  IprevResult,
  SpfResult,
} from './authentication.ts'
import { authorDomains } from './author-domains.ts'
import { verifyDkim } from './dkim-verify.ts'
import { checkDmarc } from './dmarc.ts'
import { inTime, LONGEST_MS, type TimePorts } from './in-time.ts'
import { checkIprev } from './iprev.ts'
import { checkSpf } from './spf-check.ts'

export interface AuthenticationPorts extends TimePorts {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly random: Pick<Random, 'fraction'>
}

/**
 * Finds out what a message's claims are worth: the client's name, SPF and DKIM side by side, then DMARC by them.
 * Resolves always, within some 60 seconds: what takes too long or throws is a `temperror`.
 */
export async function authenticate(
  ports: AuthenticationPorts,
  hostname: string,
  message: ClaimedMessage,
): Promise<Authentication> {
  const { resolver, clock } = ports
  const { client, mailFrom, content } = message
  const [iprev, spf, dkim] = await Promise.all([
    inTime<IprevResult>(
      ports,
      'iprev',
      () => checkIprev(resolver, client.ipAddress),
      () => ({ result: 'temperror', authentic: false }),
    ),
    inTime<SpfResult>(
      ports,
      'spf',
      () => checkSpf({ resolver, clock, hostname }, message),
      (problem) => ({
        result: 'temperror',
        identity: mailFrom ? 'mailfrom' : 'helo',
        domain: mailFrom?.domain ?? client.hello,
        mechanism: '',
        problem,
        authentic: false,
      }),
    ),
    // Each signature has its time, and must not lose its result to the others.
    inTime<readonly DkimResult[]>(
      ports,
      'dkim',
      () => verifyDkim(ports, content),
      (problem) => [{ result: 'temperror', problem, authentic: false }],
      2 * LONGEST_MS,
    ),
  ])
  const dmarc = await inTime<DmarcResult>(
    ports,
    'dmarc',
    () => checkDmarc(ports, authorDomains(content), { spf, dkim }),
    (problem) => ({ result: 'temperror', policy: 'none', problem, authentic: false }),
  )
  return { iprev, spf, dkim, dmarc }
}
