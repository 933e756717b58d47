/** The name whose PTR records name the host of an IP address (RFC 1035 §3.5, RFC 3596 §2.5); undefined for what is none. */
export function reverseName(address: string): string | undefined {
  return address.includes(':') ? reverseIpv6(address) : reverseIpv4(address)
}

function reverseIpv4(address: string): string | undefined {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)) return undefined
  const octets = address.split('.').map(Number)
  return octets.every((octet) => octet <= 255) ? `${octets.reverse().join('.')}.in-addr.arpa` : undefined
}

function reverseIpv6(address: string): string | undefined {
  if (!/^[0-9a-f:.]+$/i.test(address) || !URL.canParse(`http://[${address}]`)) return undefined
  // A URL has the address in hexadecimal groups, in their short form (RFC 5952).
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [before = [], after = []] = short.split('::').map((half) => half.split(':').filter(Boolean))
  const between = new Array<string>(8 - before.length - after.length).fill('0')
  const digits = [...before, ...between, ...after].map((group) => group.padStart(4, '0')).join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}
