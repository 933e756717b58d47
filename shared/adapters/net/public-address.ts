import { BlockList, type IPVersion, isIP } from 'node:net'
import { type SpecialPurposeBlock, specialPurposeBlocks } from './special-purpose-addresses.ts'

/** The addresses of one family that a block holds. */
interface Range {
  readonly family: IPVersion
  readonly prefixLength: number
  readonly addresses: BlockList
  readonly block: SpecialPurposeBlock
}

/**
 * Says why an IP address, as sockets take it, must not be reached on a customer's behalf, in words that follow the
 * address; of a public address, nothing.
 */
export type AddressJudge = (ipAddress: string) => string | undefined

/** Judges by the smallest of the blocks that holds an address; what no block holds is public. */
export function addressJudge(blocks: readonly SpecialPurposeBlock[]): AddressJudge {
  const ipv4Prefixes = blocks.flatMap(({ ipv4Prefix }) => ipv4Prefix ?? [])
  const ranges = blocks
    .flatMap((block) => rangesOf(block, ipv4Prefixes))
    .sort((one, other) => other.prefixLength - one.prefixLength)
  return (ipAddress) => {
    const version = isIP(ipAddress)
    // BlockList finds nothing for an address that it cannot read, and a zone (RFC 4007) is such a case.
    if (version === 0 || ipAddress.includes('%')) return 'cannot be judged'
    const family = version === 4 ? 'ipv4' : 'ipv6'
    const found = ranges.find((range) => range.family === family && range.addresses.check(ipAddress, family))
    if (!found || found.block.ipv4Prefix !== undefined) return undefined
    const { block, name, source } = found.block
    return `is not public: ${block}, ${name} (${source})`
  }
}

/** Judges by all special-purpose blocks. */
export const whyNotPublic: AddressJudge = addressJudge(specialPurposeBlocks)

// Two lists, because a list with IPv4 addresses in it finds them in mapped ones too.
const ipv4Loopback = new BlockList()
ipv4Loopback.addSubnet('127.0.0.0', 8, 'ipv4')
const ipv6Loopback = new BlockList()
ipv6Loopback.addAddress('::1', 'ipv6')

/** Exactly 127.0.0.0/8 and ::1; the mapped and translated forms of them are not. */
export function isLoopbackAddress(ipAddress: string): boolean {
  return isIP(ipAddress) === 4
    ? ipv4Loopback.check(ipAddress, 'ipv4')
    : isIP(ipAddress) === 6 && ipv6Loopback.check(ipAddress, 'ipv6')
}

/** An IPv4 block is in IPv6 as well, wherever IPv6 carries IPv4 addresses. */
function rangesOf(block: SpecialPurposeBlock, ipv4Prefixes: readonly string[]): readonly Range[] {
  const [network = '', length = ''] = block.block.split('/')
  if (isIP(network) === 6) return [rangeOf(block, network, Number(length), 'ipv6')]
  return [
    rangeOf(block, network, Number(length), 'ipv4'),
    ...ipv4Prefixes.map((prefix) => rangeOf(block, prefix + network, 96 + Number(length), 'ipv6')),
  ]
}

function rangeOf(
  block: SpecialPurposeBlock,
  network: string,
  prefixLength: number,
  family: IPVersion,
): Range {
  const addresses = new BlockList()
  addresses.addSubnet(network, prefixLength, family)
  return { family, prefixLength, addresses, block }
}
