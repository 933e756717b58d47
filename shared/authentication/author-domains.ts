import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'
import { readAuthors } from '../message/message-fields.ts'

/** More authors are of one domain, or nobody's. */
const MOST_DOMAINS = 4

/**
 * The domains of the authors (RFC 5322 §3.6.2), each once: the first four, which are those that a reader sees. All
 * From fields count, since nobody knows which one a reader is shown.
 */
export function authorDomains(content: Uint8Array): readonly DomainName[] {
  const domains = readAuthors(content).flatMap(({ address }) => readDomain(address) ?? [])
  return [...new Set(domains)].slice(0, MOST_DOMAINS)
}

/** What is behind the last @: programs show also what is no address. */
function readDomain(address: string): DomainName | undefined {
  const at = address.lastIndexOf('@')
  if (at < 0) return undefined
  try {
    return parseDomainName(address.slice(at + 1))
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}
