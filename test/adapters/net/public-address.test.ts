import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLoopbackAddress, isPublicAddress } from '../../../shared/adapters/net/public-address.ts'
import { specialPurposeBlocks } from '../../../shared/adapters/net/special-purpose-addresses.ts'

interface Block {
  readonly width: 32 | 128
  readonly length: number
  readonly network: bigint
}

const blocks = specialPurposeBlocks.map(({ block }) => parseBlock(block))
const ipv4Blocks = blocks.filter(({ width }) => width === 32)
const ipv6Blocks = blocks.filter(({ width }) => width === 128)

test('every address of a special-purpose block is refused', () => {
  const addresses = fc.constantFrom(...blocks).chain(addressOf)
  fc.assert(fc.property(addresses, (address) => !isPublicAddress(address)))
})

test('an IPv4 address of a special-purpose block is refused in every form that IPv6 has for it', () => {
  const addresses = fc.constantFrom(...ipv4Blocks).chain((block) => fc.tuple(valueIn(block), fc.boolean()))
  fc.assert(
    fc.property(addresses, fc.constantFrom('::ffff:', '64:ff9b::', '::'), ([value, dotted], prefix) => {
      assert.ok(!isPublicAddress(prefix + (dotted ? formatIpv4(value) : lowGroups(value))))
    }),
  )
})

test('an address outside of all blocks is public, also when mapped (RFC 4291) or translated (RFC 6052)', () => {
  const outside = fc
    .bigInt(0n, 2n ** 32n - 1n)
    .filter((value) => !ipv4Blocks.some((block) => holds(block, value)))
  fc.assert(
    fc.property(outside, fc.constantFrom('', '::ffff:', '64:ff9b::'), (value, prefix) =>
      isPublicAddress(prefix + formatIpv4(value)),
    ),
  )
  const globalUnicast = fc
    .bigInt(2n ** 125n, 2n ** 126n - 1n)
    .filter((value) => !ipv6Blocks.some((block) => holds(block, value)))
  fc.assert(fc.property(globalUnicast, (value) => isPublicAddress(formatIpv6(value))))
})

test('the addresses beside a block are public unless another block holds them', () => {
  // What is beside ::/96 and ::ffff:0:0/96 is judged by the tests above.
  const beside = blocks.flatMap(neighbours).filter(({ text }) => !text.startsWith('0:0:0:0:0:'))
  assert.ok(beside.length > blocks.length)
  for (const { text, isHeld } of beside) assert.equal(isPublicAddress(text), !isHeld, text)
})

test('what cannot be judged is not public', () => {
  for (const text of ['', 'a.example', '1.2.3', '8.8.8.8 ', 'fe80::1%eth0', '2606:4700::1111%1']) {
    assert.ok(!isPublicAddress(text), text)
  }
})

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

function addressOf(block: Block): fc.Arbitrary<string> {
  return valueIn(block).map(block.width === 32 ? formatIpv4 : formatIpv6)
}

function valueIn({ network, width, length }: Block): fc.Arbitrary<bigint> {
  return fc.bigInt(network, network + (1n << BigInt(width - length)) - 1n)
}

function neighbours({ network, width, length }: Block): readonly { text: string; isHeld: boolean }[] {
  const peers = width === 32 ? ipv4Blocks : ipv6Blocks
  return [network - 1n, network + (1n << BigInt(width - length))]
    .filter((value) => value >= 0n && value < 1n << BigInt(width))
    .map((value) => ({
      text: width === 32 ? formatIpv4(value) : formatIpv6(value),
      isHeld: peers.some((peer) => holds(peer, value)),
    }))
}

function holds({ network, width, length }: Block, value: bigint): boolean {
  return value >> BigInt(width - length) === network >> BigInt(width - length)
}

function parseBlock(text: string): Block {
  const [address = '', length = ''] = text.split('/')
  if (address.includes('.')) {
    const network = address.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n)
    return { width: 32, length: Number(length), network }
  }
  const [head = '', tail = ''] = address.split('::').map((part) => part.replace(/^$/, '-'))
  const left = head.split(':').filter((group) => group !== '-')
  const right = tail.split(':').filter((group) => group !== '-' && group !== '')
  const middle = new Array<string>(8 - left.length - right.length).fill('0')
  const network = [...left, ...middle, ...right].reduce(
    (sum, group) => sum * 65536n + BigInt(`0x${group}`),
    0n,
  )
  return { width: 128, length: Number(length), network }
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
}

function formatIpv6(value: bigint): string {
  const groups = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n].map((shift) => (value >> shift) & 0xffffn)
  return groups.map((group) => group.toString(16)).join(':')
}

function lowGroups(value: bigint): string {
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}
