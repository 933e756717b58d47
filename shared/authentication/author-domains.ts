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
