import { dnsFailure } from './read-answer.ts'
import type { DnsFailure, Resolver } from './resolver.ts'

/** Where the CNAMEs of a name lead, link by link. */
export interface AliasChain {
  readonly kind: 'end'
  /** Has no CNAME; perhaps nothing else either. The name itself where it is no alias. */
  readonly name: string
  /** What DNSSEC says of the first answer: the first link, or that there is none. */
  readonly firstAuthentic: boolean
  /** What it says of all of them, the last included, which says that there is no further link. */
  readonly authentic: boolean
}

/**
 * Follows CNAMEs one by one, at most `mostLinks`. A question for another type would tell the end too, but not whether
 * the first link of a chain is authentic when a later one is not (RFC 7672 §2.2.2).
 */
export async function followAliases(
  resolver: Resolver,
  name: string,
  mostLinks: number,
): Promise<AliasChain | DnsFailure> {
  const passed: string[] = []
  const authentic: boolean[] = []
  for (let here = name; ; ) {
    const answer = await resolver.lookUp('CNAME', here)
    if (answer.kind === 'failed') return answer
    authentic.push(answer.authentic)
    const target = answer.kind === 'found' ? answer.values[0] : undefined
    if (target === undefined) {
      return {
        kind: 'end',
        name: here,
        firstAuthentic: authentic[0] === true,
        authentic: !authentic.includes(false),
      }
    }
    passed.push(here)
    if (passed.includes(target)) return dnsFailure('CNAME', name, 'the CNAMEs lead in a circle')
    if (passed.length > mostLinks) return dnsFailure('CNAME', name, `more than ${mostLinks} CNAMEs`)
    here = target
  }
}
