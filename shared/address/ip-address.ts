/** An IP address in groups of 16 bits: two of version 4, eight of version 6. */
export interface IpAddress {
  readonly version: 4 | 6
  readonly groups: readonly number[]
}

/** Undefined for what is no IP address. `::ffff:192.0.2.1` stays version 6 (see {@link unmapIpAddress}). */
export function parseIpAddress(text: string): IpAddress | undefined {
  const version = text.includes(':') ? 6 : 4
  const groups = version === 6 ? readIpv6(text) : readIpv4(text)
  return groups && { version, groups }
}

/** An IPv4 address in IPv6's clothes (RFC 4291 §2.5.5.2) becomes an IPv4 address; others stay as they are. */
export function unmapIpAddress(address: IpAddress): IpAddress {
  const isMapped = address.groups.slice(0, 5).every((group) => group === 0) && address.groups[5] === 0xffff
  return isMapped ? { version: 4, groups: address.groups.slice(6) } : address
}

/** As people write it: `192.0.2.1`, `2001:db8::1` (RFC 5952). */
export function formatIpAddress({ version, groups }: IpAddress): string {
  if (version === 4) return octetsOf(groups).join('.')
  const hex = groups.map((group) => group.toString(16)).join(':')
  return new URL(`http://[${hex}]`).hostname.slice(1, -1)
}

/** Whether the first `length` bits are the network's; addresses of the other version never are in it. */
export function isInNetwork(address: IpAddress, network: IpAddress, length: number): boolean {
  if (address.version !== network.version) return false
  return address.groups.every((group, place) => {
    const bits = Math.min(Math.max(length - 16 * place, 0), 16)
    return (group ^ (network.groups[place] ?? 0)) >> (16 - bits) === 0
  })
}

/** The 32 hexadecimal digits of an IPv6 address. */
export function nibblesOf(groups: readonly number[]): string[] {
  return groups.flatMap((group) => [...group.toString(16).padStart(4, '0')])
}

function octetsOf(groups: readonly number[]): number[] {
  return groups.flatMap((group) => [group >> 8, group & 255])
}

function readIpv4(text: string): readonly number[] | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (!octets || octets.some((octet) => octet > 255)) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = octets
  return [a * 256 + b, c * 256 + d]
}

/** RFC 4291 §2.2, with a zone or without: eight groups. */
function readIpv6(text: string): readonly number[] | undefined {
  const [address = ''] = text.split('%')
  const halves = address.split('::').map((half, place, all) => readGroups(half, place === all.length - 1))
  const [before, after] = halves
  if (!before || halves.length > 2 || halves.includes(undefined)) return undefined
  if (!after) return before.length === 8 ? before : undefined
  const left = 8 - before.length - after.length
  return left > 0 ? [...before, ...new Array<number>(left).fill(0), ...after] : undefined
}

/** An IPv4 address may stand for the last two groups of all. */
function readGroups(text: string, isLast: boolean): readonly number[] | undefined {
  if (text === '') return []
  const groups = text.split(':').flatMap((group, place, all) => {
    if (isLast && place === all.length - 1 && group.includes('.')) return readIpv4(group) ?? [Number.NaN]
    return [/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : Number.NaN]
  })
  return groups.includes(Number.NaN) ? undefined : groups
}
