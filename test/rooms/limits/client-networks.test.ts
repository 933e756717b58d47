import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientNetworks } from '../../../shared/limits/client-networks.ts'

const networks: readonly (readonly [ip: string, networks: readonly string[]])[] = [
  ['192.0.2.77', ['192.0.2.77/32', '192.0.2.64/26', '192.0.0.0/21']],
  ['255.255.255.255', ['255.255.255.255/32', '255.255.255.192/26', '255.255.248.0/21']],
  ['::ffff:192.0.2.77', ['192.0.2.77/32', '192.0.2.64/26', '192.0.0.0/21']],
  ['::ffff:c000:24d', ['192.0.2.77/32', '192.0.2.64/26', '192.0.0.0/21']],
  ['2001:DB8:1:2:3:4:5:6', ['2001:db8:1:2::/64', '2001:db8:1::/48', '2001:db8::/32']],
  ['2001:db8::1', ['2001:db8:0:0::/64', '2001:db8:0::/48', '2001:db8::/32']],
  ['fe80::1%eth0', ['fe80:0:0:0::/64', 'fe80:0:0::/48', 'fe80:0::/32']],
  ['::1', ['0:0:0:0::/64', '0:0:0::/48', '0:0::/32']],
  ['64:ff9b::192.0.2.1', ['64:ff9b:0:0::/64', '64:ff9b:0::/48', '64:ff9b::/32']],
]
for (const [ip, expected] of networks) {
  test(`networks of ${ip}`, () => assert.deepEqual(clientNetworks(ip), expected))
}

const malformed = ['', 'localhost', '192.0.2', '192.0.2.256', '1:2:3:4:5:6:7', '1::2::3', '1:2:3:4:5:6:7:8:9']
for (const ip of [...malformed, '12345::', '1.2.3.4::', ':::', '1:2:3:4:5:6:7:8::']) {
  test(`no IP address: ${JSON.stringify(ip)}`, () => assert.equal(clientNetworks(ip), undefined))
}
