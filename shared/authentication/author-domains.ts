import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'
import { readAuthors } from '../message/message-fields.ts'

/** Of a field; a reader sees hardly more. */
const MOST_DOMAINS = 4

/** The domains of the authors (RFC 5322 §3.6.2), each once: the first four of each From field that counts. */
export function authorDomains(content: Uint8Array): readonly DomainName[] {
  const domains = readAuthors(content).flatMap((authors) => {
    const ofField = authors.flatMap(({ address }) => readDomain(address) ?? [])
    return [...new Set(ofField)].slice(0, MOST_DOMAINS)
  })
  return [...new Set(domains)]
}

/** No host's name, for its underscores, and yet one in the DNS, whose organization may have a policy. */
const OTHER_NAME = /^(?=.{1,253}$)(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}$/i

/** What is behind the last @: programs show also what is no address, and not all that is in it. */
function readDomain(address: string): DomainName | undefined {
  const at = address.lastIndexOf('@')
  if (at < 0) return undefined
  const text = address
    .slice(at + 1)
    .replace(/\s+/g, '')
    .replace(/\.$/, '')
  try {
    return parseDomainName(text)
  } catch (error) {
    if (!(error instanceof AddressSyntaxError)) throw error
    return OTHER_NAME.test(text) ? (text.toLowerCase() as DomainName) : undefined
  }
}
