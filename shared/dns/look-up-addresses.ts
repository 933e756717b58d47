import type { DnsAnswer, Resolver } from './resolver.ts'

/**
 * Both kinds of address of a name, asked for at once: IPv4 first. Found is what either has. Authentic is what all
 * answers were, found or not; a question that failed is no answer, and makes the other neither less nor more authentic:
 * who can make one fail must not turn DANE off by that (RFC 7672 §2.1). Where nothing was found and a question failed,
 * that is the answer. There is no such name only when both say so.
 */
export async function lookUpAddresses(resolver: Resolver, name: string): Promise<DnsAnswer<string>> {
  const both = await Promise.all([resolver.lookUp('A', name), resolver.lookUp('AAAA', name)])
  const authentic = both.every((answer) => answer.kind === 'failed' || answer.authentic)
  const found = both.filter((answer) => answer.kind === 'found')
  const [first] = found
  if (first !== undefined) {
    const { canonicalName } = first
    return { kind: 'found', values: found.flatMap(({ values }) => values), canonicalName, authentic }
  }
  const failure = both.find((answer) => answer.kind === 'failed')
  if (failure !== undefined) return failure
  return { kind: both.every(({ kind }) => kind === 'no-name') ? 'no-name' : 'no-data', authentic }
}
