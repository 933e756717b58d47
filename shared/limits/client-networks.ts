/** The networks that a client belongs to, the narrowest first: IPv4 /32, /26, /21 or IPv6 /64, /48, /32. */
export type ClientNetworks = readonly [narrow: string, middle: string, wide: string]

/** Undefined for what is no IP address. An IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) is an IPv4 address. */
export function clientNetworks(ip: string): ClientNetworks | undefined {
  const groups = ip.includes(':') ? readIpv6(ip) : mapped(readIpv4(ip))
  if (!groups) return undefined
  const [high = 0, low = 0] = groups.slice(6)
  const isIpv4 = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return isIpv4
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

/** Two groups of 16 bits. */
function readIpv4(text: string): readonly number[] | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (!octets || octets.some((octet) => octet > 255)) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = octets
  return [a * 256 + b, c * 256 + d]
}

function mapped(groups: readonly number[] | undefined): readonly number[] | undefined {
  return groups && [0, 0, 0, 0, 0, 0xffff, ...groups]
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
