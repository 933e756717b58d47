import { SECOND } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import { findMailHosts, type MailHosts } from '../destination/find-mail-hosts.ts'
import { extendedErrorReason } from '../dns/extended-error.ts'
import { type DirectAttempt, type Failure, permanent, temporary } from './direct-attempt.ts'
import { inTime } from './time-limit.ts'

/** Which hosts may take the mail of an attempt, in their order. */
export interface Route {
  readonly kind: 'route'
  readonly hosts: readonly string[]
  /** How they were found; left out where the recipient's address is that of the host. */
  readonly mailHosts?: MailHosts
}

const LONGEST_MS = 30 * SECOND
/**
 * RFC 5321 §5.1 asks for two addresses at least. A domain may name thousands, all at the door of somebody who has nothing
 * to do with it.
 */
const MOST_HOSTS = 10

/** Finds the way to the recipients' domain, or why there is none. */
export async function findRoute(attempt: DirectAttempt): Promise<Route | Failure> {
  const { ports, request, domain, signal, notes } = attempt
  const literal = addressOfLiteral(domain)
  if (literal !== undefined) return { kind: 'route', hosts: [literal] }
  const isOurs = lookUp((await ports.options.read()).domains, domain) !== undefined
  // What we know nothing of must not come back to us; what is ours, our listeners take.
  const ourName = isOurs ? undefined : request.hostname.toLowerCase()
  const found = await inTime(ports.wait, LONGEST_MS, signal, () => findMailHosts(ports, domain, ourName))
  switch (found?.kind) {
    case undefined:
      return temporary(`looking up the mail hosts of ${domain} took too long`)
    case 'found':
      return { kind: 'route', hosts: found.hosts.slice(0, MOST_HOSTS), mailHosts: found }
    // RFC 7505 §4.2.
    case 'no-mail':
      return permanent(556, '5.1.10', found.error)
    // RFC 3463 §3.5: routing loop detected.
    case 'loop':
      return permanent(0, '5.4.6', found.error)
    case 'failed': {
      const reason = extendedErrorReason(found)
      if (reason) notes.noHosts({ resultType: 'validation-failure', text: found.error, reason })
      return temporary(`the mail hosts of ${domain} are not known: ${found.error}`)
    }
  }
}

/** RFC 5321 §4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
export function addressOfLiteral(domain: string): string | undefined {
  return /^\[(?:IPv6:)?([0-9a-f.:]+)\]$/i.exec(domain)?.[1]
}
