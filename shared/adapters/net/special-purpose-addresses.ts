/** A block of IP addresses that no request on a customer's behalf may reach. */
interface SpecialPurposeBlock {
  /** CIDR notation. */
  readonly block: string
  /** What the block is for and the RFC that says so. */
  readonly why: string
}

/**
 * The IANA IPv4 and IPv6 Special-Purpose Address Registries (state of 2026), with multicast and reserved space
 * (RFC 5771, RFC 1112, RFC 4291). Some blocks are reachable, as AS112 is, but no place for a webhook.
 */
export const specialPurposeBlocks: readonly SpecialPurposeBlock[] = [
  { block: '0.0.0.0/8', why: 'this host on this network, RFC 1122' },
  { block: '10.0.0.0/8', why: 'private use, RFC 1918' },
  { block: '100.64.0.0/10', why: 'shared address space, RFC 6598' },
  { block: '127.0.0.0/8', why: 'loopback, RFC 1122' },
  { block: '169.254.0.0/16', why: 'link local (cloud metadata, container credentials), RFC 3927' },
  { block: '172.16.0.0/12', why: 'private use, RFC 1918' },
  { block: '192.0.0.0/24', why: 'IETF protocol assignments, RFC 6890' },
  { block: '192.0.2.0/24', why: 'documentation, RFC 5737' },
  { block: '192.31.196.0/24', why: 'AS112-v4, RFC 7535' },
  { block: '192.52.193.0/24', why: 'AMT, RFC 7450' },
  { block: '192.88.99.0/24', why: '6to4 relay anycast, deprecated, RFC 7526' },
  { block: '192.168.0.0/16', why: 'private use, RFC 1918' },
  { block: '192.175.48.0/24', why: 'AS112 direct delegation, RFC 7534' },
  { block: '198.18.0.0/15', why: 'benchmarking, RFC 2544' },
  { block: '198.51.100.0/24', why: 'documentation, RFC 5737' },
  { block: '203.0.113.0/24', why: 'documentation, RFC 5737' },
  { block: '224.0.0.0/4', why: 'multicast, RFC 5771' },
  { block: '240.0.0.0/4', why: 'reserved, RFC 1112' },
  { block: '255.255.255.255/32', why: 'limited broadcast, RFC 919' },
  { block: '::/128', why: 'unspecified, RFC 4291' },
  { block: '::1/128', why: 'loopback, RFC 4291' },
  { block: '::/96', why: 'IPv4-compatible, deprecated, RFC 4291' },
  { block: '64:ff9b:1::/48', why: 'local-use NAT64, RFC 8215' },
  { block: '100::/64', why: 'discard only, RFC 6666' },
  { block: '100:0:0:1::/64', why: 'dummy prefix, RFC 9780' },
  { block: '2001::/32', why: 'Teredo, RFC 4380' },
  { block: '2001:2::/48', why: 'benchmarking, RFC 5180' },
  { block: '2001:10::/28', why: 'ORCHID, deprecated, RFC 4843' },
  { block: '2001:20::/28', why: 'ORCHIDv2, RFC 7343' },
  { block: '2001:30::/28', why: 'drone remote id, RFC 9374' },
  { block: '2001::/23', why: 'IETF protocol assignments (everything else in it), RFC 2928' },
  { block: '2001:db8::/32', why: 'documentation, RFC 3849' },
  { block: '2002::/16', why: '6to4, RFC 3056' },
  { block: '2620:4f:8000::/48', why: 'AS112 direct delegation, RFC 7534' },
  { block: '3fff::/20', why: 'documentation, RFC 9637' },
  { block: '5f00::/16', why: 'SRv6 SIDs, RFC 9602' },
  { block: 'fc00::/7', why: 'unique local, RFC 4193' },
  { block: 'fe80::/10', why: 'link local, RFC 4291' },
  { block: 'fec0::/10', why: 'site local, deprecated, RFC 3879' },
  { block: 'ff00::/8', why: 'multicast, RFC 4291' },
]

/** IPv6 prefixes of 96 bits that carry an IPv4 address: what is inside decides (RFC 4291 §2.5.5.2, RFC 6052). */
export const translatedPrefixes: readonly string[] = ['::ffff:', '64:ff9b::']
