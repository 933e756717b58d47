import { type DomainName, formatUnicodeDomain } from '../address/domain-name.ts'

/** A domain as mox writes it; `Unicode` is empty where it would be the same. */
export interface DomainNameJson {
  readonly ASCII: string
  readonly Unicode: string
}

/** Writes a domain in both forms. */
export function wireDomain(domain: DomainName): DomainNameJson {
  const unicode = formatUnicodeDomain(domain)
  return { ASCII: domain, Unicode: unicode === domain ? '' : unicode }
}
