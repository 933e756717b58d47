import type { Random } from '../base/random.ts'
import { followAliases } from '../dns/follow-aliases.ts'
import type { DnsFailure, MailExchange, Resolver } from '../dns/resolver.ts'

/** The hosts that take the mail of a domain (RFC 5321 §5.1). */
export interface MailHosts {
  readonly kind: 'found'
  /** The domain that was asked for, RFC 7672's next-hop domain. */
  readonly nextHop: string
  /** Where its CNAMEs lead; the same where it is no alias. */
  readonly expandedNextHop: string
  /** False: the domain has no MX, and stands for itself. */
  readonly hasMx: boolean
  /** At least one name; the ones to try first come first. */
  readonly hosts: readonly string[]
  /** DNSSEC vouches for what is at the next hop itself: its CNAME, or that there is none and its MX. */
  readonly originalAuthentic: boolean
  /** DNSSEC vouches for all, CNAMEs and MX. */
  readonly expandedAuthentic: boolean
}

/** The domain takes no mail, for good (RFC 7505). */
export interface NoMail {
  readonly kind: 'no-mail'
  readonly error: string
}

/** Whoever asks is the domain's best mail host itself, and knows nothing of the domain (RFC 5321 §5.1). */
export interface MailLoop {
  readonly kind: 'loop'
  readonly error: string
}

const MOST_LINKS = 16
const NULL_EXCHANGE = '.'

/**
 * Finds the hosts for mail to a domain; `random` shuffles those of equal preference, as RFC 5321 §5.1 wants. A domain
 * that does not exist is its own host like one without MX: whoever looks for its address learns so. Where `ourName` is
 * among the hosts, it is left out with those of the same preference and of worse ones.
 */
export async function findMailHosts(
  ports: { readonly resolver: Resolver; readonly random: Random },
  nextHop: string,
  ourName?: string,
): Promise<MailHosts | NoMail | MailLoop | DnsFailure> {
  const aliases = await followAliases(ports.resolver, nextHop, MOST_LINKS)
  if (aliases.kind === 'failed') return aliases
  const answer = await ports.resolver.lookUp('MX', aliases.name)
  if (answer.kind === 'failed') return answer
  const isAlias = aliases.name !== nextHop
  const domain = {
    kind: 'found',
    nextHop,
    expandedNextHop: aliases.name,
    originalAuthentic: aliases.firstAuthentic && (isAlias || answer.authentic),
    expandedAuthentic: aliases.authentic && answer.authentic,
  } as const
  if (answer.kind !== 'found') {
    return aliases.name === ourName ? loop(nextHop) : { ...domain, hasMx: false, hosts: [aliases.name] }
  }
  const exchanges = answer.values.filter(({ exchange }) => exchange !== NULL_EXCHANGE)
  // RFC 7505 §3 wants the null MX alone; several say no more than one.
  if (exchanges.length === 0) {
    return { kind: 'no-mail', error: `${nextHop} does not accept mail: its MX is null (RFC 7505)` }
  }
  const hosts = inOrder(betterThan(exchanges, ourName), ports.random)
  return hosts.length > 0 ? { ...domain, hasMx: true, hosts } : loop(nextHop)
}

function loop(nextHop: string): MailLoop {
  return { kind: 'loop', error: `this server is the mail host of ${nextHop}, but does not know that domain` }
}

function betterThan(
  exchanges: readonly MailExchange[],
  ourName: string | undefined,
): readonly MailExchange[] {
  const ours = exchanges.filter(({ exchange }) => exchange === ourName)
  const best = Math.min(...ours.map(({ preference }) => preference))
  return exchanges.filter(({ preference }) => preference < best)
}

function inOrder(exchanges: readonly MailExchange[], random: Random): readonly string[] {
  const drawn = exchanges.map(({ preference, exchange }) => ({
    preference,
    exchange,
    lot: random.fraction(),
  }))
  const sorted = drawn.toSorted((one, other) => one.preference - other.preference || one.lot - other.lot)
  return [...new Set(sorted.map(({ exchange }) => exchange))]
}
