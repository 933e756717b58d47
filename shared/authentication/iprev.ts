import {
  formatIpAddress,
  type IpAddress,
  isInNetwork,
  parseIpAddress,
  unmapIpAddress,
} from '../address/ip-address.ts'
import type { DnsAnswer, Resolver } from '../dns/resolver.ts'
import { reverseName } from '../dns/reverse-name.ts'
import type { IprevResult } from './authentication.ts'

/** Whoever has the address decides how many names it has, and each is a question to somebody. */
const MOST_NAMES = 10
/** Of the longest address. */
const ALL_BITS = 128

/**
 * Whether a name of the client's address leads back to it (RFC 8601 §2.7.3). An address without a name is a
 * `permerror`; `authentic` counts all lookups up to the one that decided.
 */
export async function checkIprev(resolver: Resolver, ipAddress: string): Promise<IprevResult> {
  const parsed = parseIpAddress(ipAddress)
  const address = parsed && unmapIpAddress(parsed)
  const reverse = address && reverseName(formatIpAddress(address))
  if (!address || !reverse) throw new TypeError(`the client's address is no IP address: ${ipAddress}`)
  const pointer = await resolver.lookUp('PTR', reverse)
  if (pointer.kind === 'failed') return { result: 'temperror', authentic: false }
  if (pointer.kind !== 'found') return { result: 'permerror', authentic: pointer.authentic }
  let { authentic } = pointer
  let isUnsure = false
  for (const name of pointer.values.slice(0, MOST_NAMES)) {
    const answer = await resolver.lookUp(address.version === 4 ? 'A' : 'AAAA', name)
    authentic &&= answer.kind !== 'failed' && answer.authentic
    isUnsure ||= answer.kind === 'failed'
    if (leadsTo(answer, address)) return { result: 'pass', name, authentic }
  }
  return { result: isUnsure ? 'temperror' : 'fail', authentic }
}

function leadsTo(answer: DnsAnswer<string>, address: IpAddress): boolean {
  const texts = answer.kind === 'found' ? answer.values : []
  return texts.some((text) => {
    const found = parseIpAddress(text)
    return found !== undefined && isInNetwork(found, address, ALL_BITS)
  })
}
