import type { Options, Relay, Route } from '../account/options.ts'
import { lookUp } from '../base/look-up.ts'
import type { QueuedMessage } from './queued-message.ts'

/** The relay that an operator chose for this message, else that of the first route that matches, or the mistake in words. */
export function chooseRelay(
  options: Options,
  message: QueuedMessage,
  attemptsBefore: number,
): Relay | { readonly mistake: string } {
  if (message.transport !== '') {
    const chosen = lookUp(options.transports, message.transport)
    return chosen ?? { mistake: `the message is to go by an unknown transport ${message.transport}` }
  }
  const route = options.routes.find((candidate) => matches(candidate, message, attemptsBefore))
  if (!route) return { mistake: `no route leads to ${message.recipient.domain}: the operator must add one` }
  return (
    lookUp(options.transports, route.transport) ?? {
      mistake: `the route names an unknown transport ${route.transport}`,
    }
  )
}

function matches(route: Route, message: QueuedMessage, attemptsBefore: number): boolean {
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
