import fc from 'fast-check'

/** A block of addresses as numbers; read and written here without the code under test. */
export interface AddressBlock {
  readonly text: string
  readonly width: 32 | 128
  readonly prefixLength: number
  readonly network: bigint
}

/** Reads CIDR notation without a dotted quad in IPv6. */
export function parseBlock(text: string): AddressBlock {
  const [address = '', length = ''] = text.split('/')
  const prefixLength = Number(length)
  if (address.includes('.')) {
    const network = address.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
    return { text, width: 32, prefixLength, network }
  }
  const [left = [], right = []] = address.split('::').map((part) => part.split(':').filter(Boolean))
  const middle = new Array<string>(8 - left.length - right.length).fill('0')
  const network = [...left, ...middle, ...right].reduce(
    (sum, group) => sum * 65536n + BigInt(`0x${group}`),
    0n,
  )
  return { text, width: 128, prefixLength, network }
}

/** Any address of a block, its first and last more often than others. */
export function valueIn({ network, width, prefixLength }: AddressBlock): fc.Arbitrary<bigint> {
  return fc.bigInt(network, network + (1n << BigInt(width - prefixLength)) - 1n)
}

/** Whether an address of the block's own width is in it. */
export function holds({ network, width, prefixLength }: AddressBlock, value: bigint): boolean {
  const hostBits = BigInt(width - prefixLength)
  return value >> hostBits === network >> hostBits
}

/** Whether all of one block is in the other. */
export function contains(outer: AddressBlock, inner: AddressBlock): boolean {
  return (
    outer.width === inner.width && outer.prefixLength <= inner.prefixLength && holds(outer, inner.network)
  )
}

/** The plain form, IPv6 without `::`. */
export function formatAddress(width: 32 | 128, value: bigint): string {
  return width === 32 ? octetsOf(value).join('.') : groupsOf(value).map(hex).join(':')
}

/** The four octets of an IPv4 address. */
export function octetsOf(value: bigint): readonly bigint[] {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn)
}

/** The eight groups of an IPv6 address. */
export function groupsOf(value: bigint): readonly bigint[] {
  return [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => (value >> shift) & 0xffffn)
}

function hex(group: bigint): string {
  return group.toString(16)
}
