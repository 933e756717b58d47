import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dnsConfiguration, readResolvConf } from '../../../shared/adapters/net/dns-configuration.ts'

const at = (address: string, port = 53) => ({ address, port })
const files = [
  ['', { servers: [at('127.0.0.1'), at('::1')] }],
  ['nameserver 192.0.2.1\n', { servers: [at('192.0.2.1')] }],
  [
    '  nameserver\t192.0.2.1 # home\n;nameserver 192.0.2.2\n#nameserver 192.0.2.3\n',
    { servers: [at('192.0.2.1')] },
  ],
  ['nameserver fe80::1%eth0\r\nnameserver example\n', { servers: [at('fe80::1%eth0')] }],
  [
    'nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n',
    { servers: [at('192.0.2.1'), at('192.0.2.2'), at('192.0.2.3')] },
  ],
  ['options timeout:2 attempts:3 trust-ad ndots:1\n', { timeoutMs: 2000, rounds: 3, isTrusted: true }],
  ['options timeout:2\noptions timeout:1 attempts:1\n', { timeoutMs: 1000, rounds: 1 }],
  ['options timeout:99 attempts:99\n', { timeoutMs: 30_000, rounds: 5 }],
  ['options timeout:0 attempts:x no-trust-ad\n', {}],
] as const

for (const [text, expected] of files) {
  test(`resolv.conf(5): ${JSON.stringify(text)}`, () => {
    const defaults = { servers: [at('127.0.0.1'), at('::1')], timeoutMs: 5000, rounds: 2, isTrusted: false }
    assert.deepEqual(readResolvConf(text), { ...defaults, ...expected })
  })
}

const settings = [
  ['127.0.0.1:5353', [at('127.0.0.1', 5353)], true],
  ['127.0.0.1, [::1]:54,::1,', undefined, false],
  ['127.0.0.1, [::1]:54,::1', [at('127.0.0.1'), at('::1', 54), at('::1')], true],
  ['[2001:db8::1]', [at('2001:db8::1')], false],
  ['192.0.2.1', [at('192.0.2.1')], false],
  ['127.0.0.1,192.0.2.1', [at('127.0.0.1'), at('192.0.2.1')], false],
  ['127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4', undefined, false],
  ['localhost', undefined, false],
  ['127.0.0.1:0', undefined, false],
  ['127.0.0.1:65536', undefined, false],
  ['127.0.0.1:53x', undefined, false],
  ['[127.0.0.1', undefined, false],
] as const

for (const [servers, expected, isTrusted] of settings) {
  test(`POSTERN_DNS_SERVERS "${servers}" ${expected ? `is ${isTrusted ? '' : 'not '}trusted` : 'is refused'}`, () => {
    if (expected === undefined) {
      assert.throws(
        () => dnsConfiguration({ servers, trustsAd: false }),
        /^Error: POSTERN_DNS_SERVERS: .*(must be|at most)/,
      )
      return
    }
    const configuration = dnsConfiguration({ servers, trustsAd: false })
    assert.deepEqual(configuration, { servers: expected, isTrusted, timeoutMs: 5000, rounds: 2 })
    assert.equal(dnsConfiguration({ servers, trustsAd: true }).isTrusted, true)
  })
}

test('without a setting, and with "system", it is the system\'s resolver', () => {
  const { servers } = dnsConfiguration({ trustsAd: false })
  assert.ok(servers.length >= 1 && servers.every(({ port }) => port === 53))
  assert.deepEqual(dnsConfiguration({ servers: 'system', trustsAd: false }).servers, servers)
})
