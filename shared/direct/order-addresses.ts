import type { RequestedMessage } from '../queue/transport.ts'

/** The addresses of a host that earlier attempts of a message came to, the last one last. */
export function earlierAddresses({ results }: RequestedMessage, host: string): readonly string[] {
  return results.flatMap(({ remote }) => (remote?.host === host ? [remote.ipAddress] : []))
}

/**
 * The addresses of a host in the order in which to try them: those of the other family than the last time first, since
 * a server may have something against one of ours only. Within a family that was used once the same address comes
 * first again: it may have put us off to see whether we come back (RFC 6647). Otherwise the order stays.
 */
export function orderAddresses(addresses: readonly string[], earlier: readonly string[]): readonly string[] {
  const last = earlier.at(-1)
  if (last === undefined) return addresses
  const rank = (address: string): number => {
    const family = familyOf(address)
    const ofFamily = earlier.filter((each) => familyOf(each) === family)
    const comesAgain = ofFamily.length === 1 && ofFamily[0] === address
    return (family === familyOf(last) ? 2 : 0) + (comesAgain ? 0 : 1)
  }
  return addresses.toSorted((one, other) => rank(one) - rank(other))
}

/** The version of an IP address. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}
