import { type IpAddress, parseIpAddress, unmapIpAddress } from '../address/ip-address.ts'

/** The networks that a client belongs to, the narrowest first: IPv4 /32, /26, /21 or IPv6 /64, /48, /32. */
export type ClientNetworks = readonly [narrow: string, middle: string, wide: string]

/** Undefined for what is no IP address. An IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) is an IPv4 address. */
export function clientNetworks(ip: string): ClientNetworks | undefined {
  const address = parseIpAddress(ip)
  return address && networksOf(unmapIpAddress(address))
}

function networksOf({ version, groups }: IpAddress): ClientNetworks {
  const [high = 0, low = 0] = groups
  return version === 4
    ? [ipv4Network(high, low, 32), ipv4Network(high, low, 26), ipv4Network(high, low, 21)]
    : [ipv6Network(groups, 64), ipv6Network(groups, 48), ipv6Network(groups, 32)]
}

function ipv4Network(high: number, low: number, bits: number): string {
  const kept = low & (0xffff << (32 - bits))
  return `${high >> 8}.${high & 255}.${(kept >> 8) & 255}.${kept & 255}/${bits}`
}

function ipv6Network(groups: readonly number[], bits: number): string {
  const kept = groups.slice(0, bits / 16).map((group) => group.toString(16))
  return `${kept.join(':')}::/${bits}`
}
