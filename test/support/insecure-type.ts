import type { DnsRecordType, Resolver } from '../../shared/dns/resolver.ts'

/** A resolver that DNSSEC vouches for as before, but for answers to questions of one type. */
export function insecureType(resolver: Resolver, insecure: DnsRecordType): Resolver {
  return {
    lookUp: async (type, name) => {
      const answer = await resolver.lookUp(type, name)
      return type === insecure && answer.kind !== 'failed' ? { ...answer, authentic: false } : answer
    },
  }
}
