import type { Options, Route, TransportSettings } from '../account/options.ts'
import { formatUnicodeDomain } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import type { QueuedMessage } from './queued-message.ts'

/** What keeps a message from going anywhere, in words for the operator, who alone can mend it. */
export interface Mistake {
  readonly kind: 'mistake'
  readonly mistake: string
}

/** What routes ask of a message. */
export type RoutedMessage = Pick<QueuedMessage, 'account' | 'mailFrom' | 'recipient' | 'transport'>

/**
 * A mistake while the domain of the reverse-path is disabled (see `HostedDomain.disabled`). Otherwise the transport that an operator chose for this message, else that of the first route that matches: those of its
 * account, of the domain of its reverse-path, and of the installation, in this order.
 */
export function chooseTransport(
  options: Options,
  message: RoutedMessage,
  attemptsBefore: number,
): TransportSettings | Mistake {
  const sender = message.mailFrom?.domain
  if (sender !== undefined && lookUp(options.domains, sender)?.disabled) {
    return mistake(
      `the sender's domain ${formatUnicodeDomain(sender)} is disabled: the operator must enable it, or fail the message`,
    )
  }
  if (message.transport !== '') {
    const chosen = lookUp(options.transports, message.transport)
    return chosen ?? mistake(`the message is to go by an unknown transport ${message.transport}`)
  }
  const route = routesOf(options, message).find((candidate) => matches(candidate, message, attemptsBefore))
  if (!route) return mistake(`no route leads to ${message.recipient.domain}: the operator must add one`)
  return (
    lookUp(options.transports, route.transport) ??
    mistake(`the route names an unknown transport ${route.transport}`)
  )
}

function mistake(text: string): Mistake {
  return { kind: 'mistake', mistake: text }
}

function routesOf(options: Options, { account, mailFrom }: RoutedMessage): readonly Route[] {
  const ofAccount = lookUp(options.accounts, account)?.routes ?? []
  const ofDomain = lookUp(options.domains, mailFrom?.domain ?? '')?.routes ?? []
  return [...ofAccount, ...ofDomain, ...options.routes]
}

function matches(route: Route, message: RoutedMessage, attemptsBefore: number): boolean {
  return (
    attemptsBefore >= route.minimumAttempts &&
    matchesDomain(route.fromDomains, message.mailFrom?.domain ?? '') &&
    matchesDomain(route.toDomains, message.recipient.domain)
  )
}

function matchesDomain(patterns: readonly string[], domain: string): boolean {
  if (patterns.length === 0) return true
  return patterns.some((pattern) =>
    pattern.startsWith('.') ? domain === pattern.slice(1) || domain.endsWith(pattern) : domain === pattern,
  )
}
