import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TransportSettings } from '../../../shared/account/options.ts'
import { testAdmin } from '../../support/admin-ports.ts'

const relay = { kind: 'submission', host: 'smtp.example', port: 587, tls: 'required' } as const
const body = { Kind: 'submission', Host: 'smtp.example', Port: 587, TLS: 'required', Login: null }

test('a transport is set, shown, listed and removed', async () => {
  const admin = testAdmin()
  const expected = { Name: 'relay', ...body }
  assert.deepEqual(await admin.done('PUT', '/transports/relay', body), expected)
  assert.deepEqual(admin.state.options.transports, { relay })
  assert.deepEqual(await admin.done('GET', '/transports/relay'), expected)
  assert.deepEqual(await admin.done('GET', '/transports'), [expected])
  assert.deepEqual(await admin.done('DELETE', '/transports/relay'), {})
  assert.deepEqual(await admin.done('GET', '/transports'), [])
})

const socks = {
  Kind: 'socks',
  Address: 'proxy.example:1080',
  RemoteHostname: 'out.example',
  RemoteIPs: ['192.0.2.1', '2001:db8::1'],
}
const kinds: readonly { rule: string; given: object; shown: object; stored: TransportSettings }[] = [
  ...(
    [
      ['smtp', 25],
      ['submission', 587],
      ['submissions', 465],
    ] as const
  ).map(([Kind, Port]) => ({
    rule: `${Kind} has port ${Port} and verified TLS by default`,
    given: { Kind, Host: 'smtp.example' },
    shown: { Kind, Host: 'smtp.example', Port, TLS: 'required', Login: null },
    stored: { ...relay, kind: Kind, port: Port },
  })),
  ...(
    [
      [25, 'smtp'],
      [2525, 'smtp'],
      [587, 'submission'],
      [465, 'submissions'],
    ] as const
  ).map(([Port, Kind]) => ({
    rule: `a relay at port ${Port} is of kind ${Kind} where none is named`,
    given: { Host: 'smtp.example', Port, TLS: 'unverified' },
    shown: { Kind, Host: 'smtp.example', Port, TLS: 'unverified', Login: null },
    stored: { ...relay, kind: Kind, port: Port, tls: 'unverified' } as const,
  })),
  {
    rule: 'direct delivers over both families by default',
    given: { Kind: 'direct' },
    shown: { Kind: 'direct', OnlyFamily: null },
    stored: { kind: 'direct' },
  },
  {
    rule: 'direct delivers over one family if asked to',
    given: { Kind: 'direct', OnlyFamily: 6 },
    shown: { Kind: 'direct', OnlyFamily: 6 },
    stored: { kind: 'direct', onlyFamily: 6 },
  },
  {
    rule: 'socks names the proxy and who others see',
    given: socks,
    shown: socks,
    stored: {
      kind: 'socks',
      host: 'proxy.example',
      port: 1080,
      hostname: 'out.example',
      ipAddresses: ['192.0.2.1', '2001:db8::1'],
    },
  },
  {
    rule: 'a proxy may have an IPv6 address',
    given: { ...socks, Address: '[2001:db8::2]:1080' },
    shown: { ...socks, Address: '[2001:db8::2]:1080' },
    stored: {
      kind: 'socks',
      host: '2001:db8::2',
      port: 1080,
      hostname: 'out.example',
      ipAddresses: ['192.0.2.1', '2001:db8::1'],
    },
  },
  { rule: 'ses has no fields', given: { Kind: 'ses' }, shown: { Kind: 'ses' }, stored: { kind: 'ses' } },
  {
    rule: 'fail refuses with 554 by default',
    given: { Kind: 'fail' },
    shown: { Kind: 'fail', SMTPCode: 554, SMTPMessage: 'refused by the configuration of this server' },
    stored: { kind: 'fail', code: 554, message: 'refused by the configuration of this server' },
  },
  {
    rule: 'fail refuses with a code and a text',
    given: { Kind: 'fail', SMTPCode: 450, SMTPMessage: 'x'.repeat(256) },
    shown: { Kind: 'fail', SMTPCode: 450, SMTPMessage: 'x'.repeat(256) },
    stored: { kind: 'fail', code: 450, message: 'x'.repeat(256) },
  },
]

for (const { rule, given, shown, stored } of kinds) {
  test(rule, async () => {
    const admin = testAdmin()
    assert.deepEqual(await admin.done('PUT', '/transports/way', given), { Name: 'way', ...shown })
    assert.deepEqual(admin.state.options.transports, { way: stored })
    assert.deepEqual(await admin.done('PUT', '/transports/way', shown), { Name: 'way', ...shown })
    assert.deepEqual(admin.state.options.transports, { way: stored })
  })
}

const familyRule = 'OnlyFamily: must be 4, 6 or null'
const messageRule = 'SMTPMessage: must be 1 to 256 characters of printable ASCII'
const addressRule = 'Address: must be host:port, with a host name or an IP address, IPv6 in brackets'
const badKinds = [
  { given: { Kind: 'direct', OnlyFamily: 5 }, message: familyRule },
  { given: { Kind: 'direct', Host: 'a.example' }, message: 'Host: unknown field' },
  { given: { Kind: 'ses', Region: 'eu-west-1' }, message: 'Region: unknown field' },
  ...[399, 600, 450.5].map((SMTPCode) => ({
    given: { Kind: 'fail', SMTPCode },
    message: 'SMTPCode: must be a whole number from 400 to 599',
  })),
  ...['', 'a\r\nb', 'é', 'x'.repeat(257)].map((SMTPMessage) => ({
    given: { Kind: 'fail', SMTPMessage },
    message: messageRule,
  })),
  ...['proxy.example', 'proxy.example:', 'proxy.example:0', ':1080', '2001:db8::2:1080', '[a.example]:1'].map(
    (Address) => ({ given: { ...socks, Address }, message: addressRule }),
  ),
  { given: { ...socks, Address: undefined }, message: 'Address: is required' },
  { given: { ...socks, RemoteIPs: [] }, message: 'RemoteIPs: must name at least one' },
  {
    given: { ...socks, RemoteIPs: ['192.0.2.1', 'out.example'] },
    message: 'RemoteIPs[1]: must be an IP address',
  },
  { given: { ...socks, RemoteIPs: ['fe80::1%eth0'] }, message: 'RemoteIPs[0]: must be an IP address' },
  {
    given: { ...socks, RemoteHostname: 'a b' },
    message: 'RemoteHostname: malformed domain name "a b": bad characters',
  },
  { given: [], message: 'body: must be a JSON object' },
]

for (const { given, message } of badKinds) {
  test(`refuses a transport that is ${JSON.stringify(given)}`, async () => {
    const admin = testAdmin()
    const { status, json } = await admin.call('PUT', '/transports/way', given)
    assert.deepEqual([status, json], [400, { Code: 'user', Message: message }])
    assert.deepEqual(admin.state.options.transports, {})
  })
}

for (const Host of ['localhost', '127.0.0.1', '::1', '2001:db8::25', 'bücher.example']) {
  test(`${Host} can be the host of a transport`, async () => {
    const admin = testAdmin()
    await admin.done('PUT', '/transports/relay', { ...body, Host })
    assert.deepEqual(admin.state.options.transports.relay, { ...relay, host: Host })
  })
}

const mechanisms = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1', 'CRAM-MD5']
const kindNames = 'smtp, submission, submissions, direct, socks, ses, fail'
const portRule = 'must be a whole number from 1 to 65535'
const hostRule = 'must be a host name or an IP address'
const badTransports = [
  ...['', 'a b', '127.1', '256.0.0.1', '1', '::g', ':::', '[::1]', 'smtp.example:25', 'a.example\r\n'].map(
    (Host) => ({
      change: { Host },
      message: `Host: ${hostRule}`,
    }),
  ),
  { change: { Port: 0 }, message: `Port: ${portRule}` },
  { change: { Port: 65536 }, message: `Port: ${portRule}` },
  { change: { Port: 25.5 }, message: `Port: ${portRule}` },
  { change: { Port: '25' }, message: 'Port: must be a number' },
  { change: { TLS: 'starttls' }, message: 'TLS: must be one of none, opportunistic, unverified, required' },
  {
    change: { Kind: 'submissions', TLS: 'opportunistic' },
    message: 'TLS: must be one of unverified, required',
  },
  { change: { User: 'x' }, message: 'User: unknown field' },
  { change: { Kind: 'smarthost' }, message: `Kind: must be one of ${kindNames}` },
  { change: { Kind: undefined, Port: undefined }, message: `Kind: must be one of ${kindNames}` },
  { change: { Login: { Username: '', Password: 'x' } }, message: 'Login.Username: must not be empty' },
  { change: { Login: { Password: 'x' } }, message: 'Login.Username: is required' },
  {
    change: { Login: { Username: 'me\r\nyou', Password: 'x' } },
    message: 'Login.Username: must be at most 255 characters without control characters',
  },
  {
    change: { Login: { Username: 'me', Password: 'x\0' } },
    message: 'Login.Password: must be at most 1024 characters without control characters',
  },
  {
    change: { Login: { Username: 'me' } },
    message: 'Login.Password: is required for a new user name or host',
  },
  {
    change: { Login: { Username: 'me', Password: 'x', Mechanisms: [] } },
    message: 'Login.Mechanisms: must name at least one mechanism, and none twice',
  },
  {
    change: { Login: { Username: 'me', Password: 'x', Mechanisms: ['PLAIN', 'PLAIN'] } },
    message: 'Login.Mechanisms: must name at least one mechanism, and none twice',
  },
  {
    change: { Login: { Username: 'me', Password: 'x', Mechanisms: ['EXTERNAL'] } },
    message: `Login.Mechanisms[0]: must be one of ${mechanisms.join(', ')}, PLAIN, LOGIN`,
  },
]

for (const { change, message } of badTransports) {
  test(`refuses a transport with ${JSON.stringify(change)}`, async () => {
    const admin = testAdmin()
    const { status, json } = await admin.call('PUT', '/transports/relay', { ...body, ...change })
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: message })
    assert.deepEqual(admin.state.options.transports, {})
  })
}

test('refuses a name that a command line could not carry', async () => {
  const { status, json } = await testAdmin().call('PUT', '/transports/a,b', body)
  assert.equal(status, 400)
  assert.match((json as { Message: string }).Message, /^Transport: must be 1 to 63 lower-case letters/)
})

for (const method of ['GET', 'DELETE']) {
  test(`${method} of a transport that does not exist is 404`, async () => {
    const { status, json } = await testAdmin().call(method, '/transports/constructor')
    assert.equal(status, 404)
    assert.deepEqual(json, { Code: 'notFound', Message: 'there is no transport "constructor"' })
  })
}
