import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatIpAddress,
  type IpAddress,
  isInNetwork,
  nibblesOf,
  parseIpAddress,
  unmapIpAddress,
} from '../../../shared/address/ip-address.ts'

function read(text: string): IpAddress {
  const address = parseIpAddress(text)
  assert.ok(address, text)
  return address
}

for (const { text, formatted } of [
  { text: '192.0.2.1', formatted: '192.0.2.1' },
  { text: '2001:DB8:0:0:1:0:0:1', formatted: '2001:db8::1:0:0:1' },
  { text: '2001:db8:0:1:1:1:1:1', formatted: '2001:db8:0:1:1:1:1:1' },
  { text: '0:0:0:0:0:0:0:0', formatted: '::' },
  { text: 'fe80::1%eth0', formatted: 'fe80::1' },
  { text: '64:ff9b::192.0.2.1', formatted: '64:ff9b::c000:201' },
]) {
  test(`${text} is written ${formatted} (RFC 5952)`, () =>
    assert.equal(formatIpAddress(read(text)), formatted))
}

for (const { text, unmapped } of [
  { text: '::ffff:192.0.2.1', unmapped: '192.0.2.1' },
  { text: '::ffff:c000:201', unmapped: '192.0.2.1' },
  { text: '::192.0.2.1', unmapped: '::c000:201' },
  { text: '::fffe:c000:201', unmapped: '::fffe:c000:201' },
  { text: '1::ffff:c000:201', unmapped: '1::ffff:c000:201' },
  { text: '192.0.2.1', unmapped: '192.0.2.1' },
]) {
  test(`${text} is ${unmapped} (RFC 4291 §2.5.5.2)`, () => {
    assert.equal(formatIpAddress(unmapIpAddress(read(text))), unmapped)
  })
}

for (const { address, network, length } of [
  { address: '192.0.2.1', network: '192.0.2.1', length: 32 },
  { address: '192.0.2.1', network: '192.0.2.0', length: 31 },
  { address: '192.0.2.1', network: '192.0.130.1', length: 16 },
  { address: '192.0.2.1', network: '192.1.2.1', length: 15 },
  { address: '192.0.2.1', network: '64.0.2.1', length: 0 },
  { address: '2001:db8::1', network: '2001:db8::', length: 127 },
  { address: '2001:db8::1', network: '2001:db8:0:0:8000::', length: 64 },
  { address: '8000::', network: '::', length: 0 },
]) {
  test(`${address} is in ${network}/${length}, and in no longer network of it`, () => {
    assert.equal(isInNetwork(read(address), read(network), length), true)
    const longest = address.includes(':') ? 128 : 32
    if (length < longest) assert.equal(isInNetwork(read(address), read(network), length + 1), false)
  })
}

test('an address is in no network of the other version', () => {
  assert.equal(isInNetwork(read('192.0.2.1'), read('::'), 0), false)
  assert.equal(isInNetwork(read('::1'), read('0.0.0.0'), 0), false)
})

test('nibbles keep the zeros of their groups', () => {
  assert.equal(nibblesOf(read('2001:db8::1').groups).join(''), '20010db8000000000000000000000001')
})
