/** A block of IP addresses that no request on a customer's behalf may reach. */
export interface SpecialPurposeBlock {
  /** CIDR notation. */
  readonly block: string
  /** As the registry names it. */
  readonly name: string
  /** The RFC that says so. */
  readonly source: string
  /** An IPv6 block that carries IPv4 addresses: what comes before one of them, which decides. */
  readonly ipv4Prefix?: string
}

/** A row of a registry of IANA (RFC 6890). */
interface RegisteredBlock extends SpecialPurposeBlock {
  /**
   * The column "Globally Reachable"; null is "N/A" or, for a block that was given back, nothing. It is noted and does
   * not decide: a block may be reachable, as AS112 and the anycast addresses of NATs are, and yet be no place for a
   * webhook.
   */
  readonly isReachable: boolean | null
}

/** Every row of https://www.iana.org/assignments/iana-ipv4-special-registry/ as it was on 2026-07-18. */
export const ipv4Registry: readonly RegisteredBlock[] = [
  { block: '0.0.0.0/8', name: 'This network', source: 'RFC 791', isReachable: false },
  { block: '0.0.0.0/32', name: 'This host on this network', source: 'RFC 1122', isReachable: false },
  { block: '10.0.0.0/8', name: 'Private-Use', source: 'RFC 1918', isReachable: false },
  { block: '100.64.0.0/10', name: 'Shared Address Space', source: 'RFC 6598', isReachable: false },
  { block: '127.0.0.0/8', name: 'Loopback', source: 'RFC 1122', isReachable: false },
  { block: '169.254.0.0/16', name: 'Link Local', source: 'RFC 3927', isReachable: false },
  { block: '172.16.0.0/12', name: 'Private-Use', source: 'RFC 1918', isReachable: false },
  { block: '192.0.0.0/24', name: 'IETF Protocol Assignments', source: 'RFC 6890', isReachable: false },
  { block: '192.0.0.0/29', name: 'IPv4 Service Continuity Prefix', source: 'RFC 7335', isReachable: false },
  { block: '192.0.0.8/32', name: 'IPv4 dummy address', source: 'RFC 7600', isReachable: false },
  { block: '192.0.0.9/32', name: 'Port Control Protocol Anycast', source: 'RFC 7723', isReachable: true },
  {
    block: '192.0.0.10/32',
    name: 'Traversal Using Relays around NAT Anycast',
    source: 'RFC 8155',
    isReachable: true,
  },
  { block: '192.0.0.170/32', name: 'NAT64/DNS64 Discovery', source: 'RFC 8880', isReachable: false },
  { block: '192.0.0.171/32', name: 'NAT64/DNS64 Discovery', source: 'RFC 8880', isReachable: false },
  { block: '192.0.2.0/24', name: 'Documentation (TEST-NET-1)', source: 'RFC 5737', isReachable: false },
  { block: '192.31.196.0/24', name: 'AS112-v4', source: 'RFC 7535', isReachable: true },
  { block: '192.52.193.0/24', name: 'AMT', source: 'RFC 7450', isReachable: true },
  { block: '192.88.99.0/24', name: 'Deprecated (6to4 Relay Anycast)', source: 'RFC 7526', isReachable: null },
  { block: '192.88.99.2/32', name: '6a44-relay anycast address', source: 'RFC 6751', isReachable: false },
  { block: '192.168.0.0/16', name: 'Private-Use', source: 'RFC 1918', isReachable: false },
  {
    block: '192.175.48.0/24',
    name: 'Direct Delegation AS112 Service',
    source: 'RFC 7534',
    isReachable: true,
  },
  { block: '198.18.0.0/15', name: 'Benchmarking', source: 'RFC 2544', isReachable: false },
  { block: '198.51.100.0/24', name: 'Documentation (TEST-NET-2)', source: 'RFC 5737', isReachable: false },
  { block: '203.0.113.0/24', name: 'Documentation (TEST-NET-3)', source: 'RFC 5737', isReachable: false },
  { block: '240.0.0.0/4', name: 'Reserved', source: 'RFC 1112', isReachable: false },
  { block: '255.255.255.255/32', name: 'Limited Broadcast', source: 'RFC 919', isReachable: false },
]

/**
 * Every row of https://www.iana.org/assignments/iana-ipv6-special-registry/ as it was on 2026-07-18, updated by IANA
 * on 2025-10-09. Of the blocks with IPv4 addresses inside, only two leave it to them. The others are refused whole: a
 * Teredo address carries two, in 64:ff9b:1::/48 the place depends on the network (RFC 6052 §2.2), and 6to4 ends at
 * whatever router has the address.
 */
export const ipv6Registry: readonly RegisteredBlock[] = [
  { block: '::1/128', name: 'Loopback Address', source: 'RFC 4291', isReachable: false },
  { block: '::/128', name: 'Unspecified Address', source: 'RFC 4291', isReachable: false },
  {
    block: '::ffff:0:0/96',
    name: 'IPv4-mapped Address',
    source: 'RFC 4291',
    isReachable: false,
    ipv4Prefix: '::ffff:',
  },
  {
    block: '64:ff9b::/96',
    name: 'IPv4-IPv6 Translat.',
    source: 'RFC 6052',
    isReachable: true,
    ipv4Prefix: '64:ff9b::',
  },
  { block: '64:ff9b:1::/48', name: 'IPv4-IPv6 Translat.', source: 'RFC 8215', isReachable: false },
  { block: '100::/64', name: 'Discard-Only Address Block', source: 'RFC 6666', isReachable: false },
  { block: '100:0:0:1::/64', name: 'Dummy IPv6 Prefix', source: 'RFC 9780', isReachable: false },
  { block: '2001::/23', name: 'IETF Protocol Assignments', source: 'RFC 2928', isReachable: false },
  { block: '2001::/32', name: 'TEREDO', source: 'RFC 4380', isReachable: null },
  { block: '2001:1::1/128', name: 'Port Control Protocol Anycast', source: 'RFC 7723', isReachable: true },
  {
    block: '2001:1::2/128',
    name: 'Traversal Using Relays around NAT Anycast',
    source: 'RFC 8155',
    isReachable: true,
  },
  {
    block: '2001:1::3/128',
    name: 'DNS-SD Service Registration Protocol Anycast',
    source: 'RFC 9665',
    isReachable: true,
  },
  { block: '2001:2::/48', name: 'Benchmarking', source: 'RFC 5180', isReachable: false },
  { block: '2001:3::/32', name: 'AMT', source: 'RFC 7450', isReachable: true },
  { block: '2001:4:112::/48', name: 'AS112-v6', source: 'RFC 7535', isReachable: true },
  { block: '2001:10::/28', name: 'Deprecated (previously ORCHID)', source: 'RFC 4843', isReachable: null },
  { block: '2001:20::/28', name: 'ORCHIDv2', source: 'RFC 7343', isReachable: true },
  {
    block: '2001:30::/28',
    name: 'Drone Remote ID Protocol Entity Tags (DETs) Prefix',
    source: 'RFC 9374',
    isReachable: true,
  },
  { block: '2001:db8::/32', name: 'Documentation', source: 'RFC 3849', isReachable: false },
  { block: '2002::/16', name: '6to4', source: 'RFC 3056', isReachable: null },
  {
    block: '2620:4f:8000::/48',
    name: 'Direct Delegation AS112 Service',
    source: 'RFC 7534',
    isReachable: true,
  },
  { block: '3fff::/20', name: 'Documentation', source: 'RFC 9637', isReachable: false },
  { block: '5f00::/16', name: 'Segment Routing (SRv6) SIDs', source: 'RFC 9602', isReachable: false },
  { block: 'fc00::/7', name: 'Unique-Local', source: 'RFC 4193', isReachable: false },
  { block: 'fe80::/10', name: 'Link-Local Unicast', source: 'RFC 4291', isReachable: false },
]

/** What the registries leave to others: multicast, what RFCs took back, and IPv6 addresses that nobody was given. */
const unregisteredBlocks: readonly SpecialPurposeBlock[] = [
  { block: '224.0.0.0/4', name: 'Multicast', source: 'RFC 5771' },
  { block: 'ff00::/8', name: 'Multicast', source: 'RFC 4291' },
  { block: '::/96', name: 'IPv4-compatible, deprecated', source: 'RFC 4291' },
  { block: 'fec0::/10', name: 'Site-local, deprecated', source: 'RFC 3879' },
  { block: '::/3', name: 'outside of global unicast', source: 'RFC 4291 §2.4' },
  { block: '4000::/2', name: 'outside of global unicast', source: 'RFC 4291 §2.4' },
  { block: '8000::/1', name: 'outside of global unicast', source: 'RFC 4291 §2.4' },
]

/** All of them. Blocks lie in blocks; the smallest that holds an address decides, as IANA reads its registries. */
export const specialPurposeBlocks: readonly SpecialPurposeBlock[] = [
  ...ipv4Registry,
  ...ipv6Registry,
  ...unregisteredBlocks,
]
