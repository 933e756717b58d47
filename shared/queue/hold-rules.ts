import type { HoldRule, Options } from '../account/options.ts'
import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'
import type { Hold } from '../attempts/attempt-row.ts'
import type { Instant } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import type { QueuedMessage } from './queued-message.ts'

/** What a hold rule looks at. */
export type RuledMessage = Pick<QueuedMessage, 'account' | 'mailFrom' | 'recipient' | 'fromId'>

/** The hold of the first rule that matches; a rule that is older than the message's release has had its say. */
export function holdByRules(
  options: Pick<Options, 'holdRules' | 'domains'>,
  message: RuledMessage & { readonly releasedAt?: Instant },
  now: Instant,
): Hold | undefined {
  const rule = options.holdRules.find(
    (candidate) =>
      candidate.createdAt > (message.releasedAt ?? -1) && matchesHoldRule(options, candidate, message),
  )
  return rule && { reason: ruleReason(rule), since: now }
}

/** Why a rule's messages are on hold. */
export function ruleReason({ id }: HoldRule): string {
  return `hold rule ${id}`
}

/** Every text of the rule that is not empty must match; so a message without sender matches no rule that names one. */
export function matchesHoldRule(
  { domains }: Pick<Options, 'domains'>,
  rule: Pick<HoldRule, 'account' | 'sender' | 'recipient'>,
  message: RuledMessage,
): boolean {
  const sender = message.mailFrom && withoutFromId(domains, message.mailFrom, message.fromId)
  return (
    (rule.account === '' || rule.account === message.account) &&
    (rule.sender === '' || isAt(rule.sender, message.mailFrom) || isAt(rule.sender, sender)) &&
    (rule.recipient === '' || isAt(rule.recipient, message.recipient))
  )
}

/** Reads what a rule may name, an address or a domain, into the form that rules keep; undefined for anything else. */
export function parseRulePlace(text: string): string | undefined {
  try {
    if (!text.includes('@')) return parseDomainName(text)
    const { localpart, domain } = parseAddress(text)
    return `${localpart.toLowerCase()}@${domain}`
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

function isAt(place: string, address: Address | undefined): boolean {
  if (!address) return false
  if (!place.includes('@')) return place === address.domain
  return place === `${address.localpart.toLowerCase()}@${address.domain}`
}

/** The address as the submitter gave it, before its unique part. */
function withoutFromId(
  domains: Readonly<Record<DomainName, { readonly separators: readonly string[] }>>,
  mailFrom: Address,
  fromId: string,
): Address {
  const separators = lookUp(domains, mailFrom.domain)?.separators ?? []
  const ending = separators
    .map((separator) => `${separator}${fromId}`)
    .find((end) => fromId !== '' && mailFrom.localpart.endsWith(end))
  return ending === undefined
    ? mailFrom
    : { ...mailFrom, localpart: mailFrom.localpart.slice(0, -ending.length) }
}
