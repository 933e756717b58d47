import { getDomain } from 'tldts'
import type { DomainName } from '../address/domain-name.ts'

/** Registries' suffixes and those of companies whose customers share a domain (publicsuffix.org, both sections). */
const RULES = { allowPrivateDomains: true, validateHostname: false, extractHostname: false } as const

/** The domain that belongs to one owner together with all below it (RFC 7489 §3.2); a public suffix is its own. */
export function organizationalDomain(domain: DomainName): DomainName {
  return (getDomain(domain, RULES) ?? domain) as DomainName
}

/** Strangers register names below it, so that it speaks for nobody. */
export function isPublicSuffix(domain: DomainName): boolean {
  return getDomain(domain, RULES) === null
}
