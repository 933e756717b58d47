import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AddressJudge,
  addressJudge,
  isLoopbackAddress,
  whyNotPublic,
} from '../../../shared/adapters/net/public-address.ts'
import {
  ipv4Registry,
  ipv6Registry,
  specialPurposeBlocks,
} from '../../../shared/adapters/net/special-purpose-addresses.ts'
import { type AddressBlock, contains, formatAddress, holds, parseBlock, valueIn } from './address-block.ts'
import { ipv4Carried, ipv6Text } from './address-spelling.ts'

const carriers = specialPurposeBlocks.filter(({ ipv4Prefix }) => ipv4Prefix).map(({ block }) => block)
const blocks = specialPurposeBlocks.map(({ block }) => parseBlock(block))
const refusedBlocks = blocks.filter(({ text }) => !carriers.includes(text))
const ipv4Blocks = blocks.filter(({ width }) => width === 32)
const ipv6Blocks = blocks.filter(({ width }) => width === 128)

test('both registries are here with every row: 26 blocks of IPv4 and 25 of IPv6, of which these are reachable', () => {
  assert.deepEqual([ipv4Registry.length, ipv6Registry.length], [26, 25])
  assert.equal(new Set(specialPurposeBlocks.map(({ block }) => block)).size, specialPurposeBlocks.length)
  const reachable = [...ipv4Registry, ...ipv6Registry].filter(({ isReachable }) => isReachable)
  assert.deepEqual(
    reachable.map(({ block }) => block),
    [
      ...['192.0.0.9/32', '192.0.0.10/32', '192.31.196.0/24', '192.52.193.0/24', '192.175.48.0/24'],
      ...['64:ff9b::/96', '2001:1::1/128', '2001:1::2/128', '2001:1::3/128', '2001:3::/32'],
      ...['2001:4:112::/48', '2001:20::/28', '2001:30::/28', '2620:4f:8000::/48'],
    ],
  )
  assert.deepEqual(carriers, ['::ffff:0:0/96', '64:ff9b::/96'])
})

for (const block of refusedBlocks) {
  test(`no address of ${block.text} is public, however it is written`, () => {
    fc.assert(isRefused(block, whyNotPublic))
  })
}

test('the rule above can fail: for every block it finds the hole where that block was left out', () => {
  for (const block of refusedBlocks) {
    // A block that lies in others is no hole while they are there, nor is its rest while they are not.
    const isApart = (other: AddressBlock) => !contains(other, block) && !contains(block, other)
    const holed = specialPurposeBlocks.filter((row) => isApart(parseBlock(row.block)))
    assert.ok(fc.check(isRefused(block, addressJudge(holed))).failed, block.text)
    // Where no other holds it, it alone makes the difference.
    if (blocks.some((other) => other !== block && contains(other, block))) continue
    const without = specialPurposeBlocks.filter((row) => row.block !== block.text)
    assert.ok(fc.check(isRefused(block, addressJudge(without)), { numRuns: 1_000 }).failed, block.text)
  }
})

test('an address outside of all blocks is public, also when mapped (RFC 4291) or translated (RFC 6052)', () => {
  const outside = (width: 32 | 128, all: readonly AddressBlock[]) =>
    fc.bigInt(0n, 2n ** BigInt(width) - 1n).filter((value) => !all.some((block) => holds(block, value)))
  const ipv4 = outside(32, ipv4Blocks)
  fc.assert(fc.property(ipv4, (value) => whyNotPublic(formatAddress(32, value)) === undefined))
  fc.assert(fc.property(ipv4.chain(ipv4Carried), (text) => whyNotPublic(text) === undefined))
  const globalUnicast = fc.bigInt(2n ** 125n, 2n ** 126n - 1n)
  const ipv6 = globalUnicast.filter((value) => !ipv6Blocks.some((block) => holds(block, value)))
  fc.assert(fc.property(ipv6.chain(ipv6Text), (text) => whyNotPublic(text) === undefined))
})

test('the addresses beside a block are public unless another block holds them', () => {
  // What is beside the blocks that carry IPv4 addresses is in ::/3.
  const beside = blocks.flatMap(neighbours)
  assert.ok(beside.length > blocks.length)
  for (const { text, isHeld } of beside) assert.equal(whyNotPublic(text) !== undefined, isHeld, text)
})

const verdicts: readonly (readonly [address: string, expected: string])[] = [
  ['169.254.169.254', 'is not public: 169.254.0.0/16, Link Local (RFC 3927)'],
  ['169.254.170.2', 'is not public: 169.254.0.0/16, Link Local (RFC 3927)'],
  ['fd00:ec2::254', 'is not public: fc00::/7, Unique-Local (RFC 4193)'],
  ['::ffff:169.254.169.254', 'is not public: 169.254.0.0/16, Link Local (RFC 3927)'],
  ['64:ff9b::a9fe:a9fe', 'is not public: 169.254.0.0/16, Link Local (RFC 3927)'],
  ['64:ff9b:1::808:808', 'is not public: 64:ff9b:1::/48, IPv4-IPv6 Translat. (RFC 8215)'],
  ['2002:808:808::1', 'is not public: 2002::/16, 6to4 (RFC 3056)'],
  ['2001:0:808:808::1', 'is not public: 2001::/32, TEREDO (RFC 4380)'],
  ['::8.8.8.8', 'is not public: ::/96, IPv4-compatible, deprecated (RFC 4291)'],
  ['::ffff:0:127.0.0.1', 'is not public: ::/3, outside of global unicast (RFC 4291 §2.4)'],
  ['4000::1', 'is not public: 4000::/2, outside of global unicast (RFC 4291 §2.4)'],
  ['fec0::1', 'is not public: fec0::/10, Site-local, deprecated (RFC 3879)'],
  ['ff02::1', 'is not public: ff00::/8, Multicast (RFC 4291)'],
  ['255.255.255.255', 'is not public: 255.255.255.255/32, Limited Broadcast (RFC 919)'],
  ['0.0.0.0', 'is not public: 0.0.0.0/32, This host on this network (RFC 1122)'],
  ['192.0.0.9', 'is not public: 192.0.0.9/32, Port Control Protocol Anycast (RFC 7723)'],
  ['fe80::1%eth0', 'cannot be judged'],
  ['2606:4700::1111%1', 'cannot be judged'],
  ['', 'cannot be judged'],
  ['a.example', 'cannot be judged'],
  ['1.2.3', 'cannot be judged'],
  ['8.8.8.8 ', 'cannot be judged'],
]
for (const [address, expected] of verdicts) {
  test(`${address || 'an empty text'} ${expected}`, () => {
    assert.equal(whyNotPublic(address), expected)
  })
}

test('loopback is exactly 127.0.0.0/8 and ::1', () => {
  const rows: readonly (readonly [string, boolean])[] = [
    ['127.0.0.1', true],
    ['127.255.255.255', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['126.255.255.255', false],
    ['128.0.0.0', false],
    ['0.0.0.0', false],
    ['::', false],
    ['::ffff:127.0.0.1', false],
    ['0:0:0:0:0:ffff:7f00:1', false],
    ['64:ff9b::127.0.0.1', false],
    ['localhost', false],
  ]
  for (const [address, expected] of rows) assert.equal(isLoopbackAddress(address), expected, address)
})

/** That a judge refuses every address of a block in every text that sockets take for it. */
function isRefused(block: AddressBlock, judge: AddressJudge): fc.IProperty<[string]> {
  const texts = valueIn(block).chain((value) =>
    block.width === 32
      ? fc.oneof(fc.constant(formatAddress(32, value)), ipv4Carried(value))
      : ipv6Text(value),
  )
  return fc.property(texts, (text) => {
    assert.notEqual(isIP(text), 0, text)
    return judge(text)?.startsWith('is not public') === true
  })
}

function neighbours({ network, width, prefixLength }: AddressBlock): { text: string; isHeld: boolean }[] {
  return [network - 1n, network + (1n << BigInt(width - prefixLength))]
    .filter((value) => value >= 0n && value < 1n << BigInt(width))
    .map((value) => ({
      text: formatAddress(width, value),
      isHeld: blocks.some((block) => block.width === width && holds(block, value)),
    }))
}
