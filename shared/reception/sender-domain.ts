import type { Address } from '../address/address.ts'
import { lookUpAddresses } from '../dns/look-up-addresses.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Refusal } from '../smtp/refusal.ts'

const TRY_LATER: Refusal = {
  code: 451,
  enhancedCode: '4.4.0',
  text: 'the DNS does not tell now whether the domain of the reverse-path takes mail, try again later',
}

/**
 * Refuses a reverse-path to which no bounce could go: of a domain that takes no mail (null MX, RFC 7505 §4.2), or that
 * has neither MX nor address (RFC 5321 §5.1). Where the DNS does not answer, the client is told to come again.
 */
export async function checkSenderDomain(
  resolver: Resolver,
  { domain }: Address,
): Promise<Refusal | undefined> {
  const exchanges = await resolver.lookUp('MX', domain)
  if (exchanges.kind === 'failed') return TRY_LATER
  if (exchanges.kind === 'found') {
    const isNull = exchanges.values.every(({ exchange }) => exchange === '.')
    return isNull ? unusable(domain, 'takes no mail (null MX)') : undefined
  }
  const { kind } = await lookUpAddresses(resolver, domain)
  if (kind === 'failed') return TRY_LATER
  return kind === 'found' ? undefined : unusable(domain, 'has no mail server and no address')
}

function unusable(domain: string, why: string): Refusal {
  return { code: 550, enhancedCode: '5.7.27', text: `the domain of the reverse-path, ${domain}, ${why}` }
}
