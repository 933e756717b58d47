import { BlockList, isIP } from 'node:net'
import { specialPurposeBlocks, translatedPrefixes } from './special-purpose-addresses.ts'

const special = new BlockList()
for (const { block } of specialPurposeBlocks) addBlock(special, block)

// Two lists, because a list with IPv4 addresses in it finds them in mapped ones too.
const ipv4Loopback = new BlockList()
ipv4Loopback.addSubnet('127.0.0.0', 8, 'ipv4')
const ipv6Loopback = new BlockList()
ipv6Loopback.addAddress('::1', 'ipv6')

/**
 * Whether an IP address, as sockets take it, may be reached on a customer's behalf. Whatever cannot be judged,
 * such as a text with a zone, is not public.
 */
export function isPublicAddress(ipAddress: string): boolean {
  const version = isIP(ipAddress)
  // BlockList finds nothing for an address that it cannot read, and a zone (RFC 4007) is such a case.
  if (version === 0 || ipAddress.includes('%')) return false
  return !special.check(ipAddress, version === 4 ? 'ipv4' : 'ipv6')
}

/** Exactly 127.0.0.0/8 and ::1; the mapped and translated forms of them are not. */
export function isLoopbackAddress(ipAddress: string): boolean {
  return isIP(ipAddress) === 4
    ? ipv4Loopback.check(ipAddress, 'ipv4')
    : isIP(ipAddress) === 6 && ipv6Loopback.check(ipAddress, 'ipv6')
}

function addBlock(list: BlockList, block: string): void {
  const [network = '', length = ''] = block.split('/')
  if (isIP(network) === 6) {
    list.addSubnet(network, Number(length), 'ipv6')
    return
  }
  list.addSubnet(network, Number(length), 'ipv4')
  for (const prefix of translatedPrefixes) list.addSubnet(prefix + network, 96 + Number(length), 'ipv6')
}
