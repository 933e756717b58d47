import type { DnsAnswer, Resolver } from '../dns/resolver.ts'
import type { IprevResult } from './authentication.ts'

/** Whoever has the address decides how many names it has, and each is a question to somebody. */
const MOST_NAMES = 10

/**
 * Whether a name of the client's address leads back to it (RFC 8601 §2.7.3). An address without a name is a
 * `permerror`; `authentic` counts all lookups up to the one that decided.
 */
export async function checkIprev(resolver: Resolver, ipAddress: string): Promise<IprevResult> {
  const address = canonicalAddress(ipAddress)
  const pointer = await resolver.lookUp('PTR', reverseName(address))
  if (pointer.kind === 'failed') return { result: 'temperror', authentic: false }
  if (pointer.kind !== 'found') return { result: 'permerror', authentic: pointer.authentic }
  const type = address.includes(':') ? 'AAAA' : 'A'
  let { authentic } = pointer
  let isUnsure = false
  for (const name of pointer.values.slice(0, MOST_NAMES)) {
    const answer = await resolver.lookUp(type, name)
    authentic &&= answer.kind !== 'failed' && answer.authentic
    isUnsure ||= answer.kind === 'failed'
    if (leadsTo(answer, address)) return { result: 'pass', name, authentic }
  }
  return { result: isUnsure ? 'temperror' : 'fail', authentic }
}

function leadsTo(answer: DnsAnswer<string>, address: string): boolean {
  return answer.kind === 'found' && answer.values.some((value) => canonicalAddress(value) === address)
}

/** The one spelling of an address (RFC 5952); what an IPv6 socket calls `::ffff:192.0.2.1` is IPv4. */
function canonicalAddress(ipAddress: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ipAddress) ?? []
  if (mapped !== undefined) return mapped
  const [withoutZone = ''] = ipAddress.split('%')
  return withoutZone.includes(':') ? new URL(`http://[${withoutZone}]`).hostname.slice(1, -1) : withoutZone
}

/** RFC 1035 §3.5, RFC 3596 §2.5. */
function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  const [before = '', after] = address.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const missing = new Array<string>(8 - before.length - (after?.length ?? 0)).fill('0')
  const groups = [...before, ...missing, ...(after ?? [])].map((group) => group.padStart(4, '0'))
  return `${[...groups.join('')].reverse().join('.')}.ip6.arpa`
}
