import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { testAdmin } from '../../support/admin-ports.ts'

const domain = parseDomainName('shop.example')
const enabled = { separators: ['+'], disabled: false }
const noReports = { DMARCReportAddress: null, TLSReportAddress: null }

test('a domain is set as a whole: what is not named is as in a fresh one', async () => {
  const admin = testAdmin({ domains: { [domain]: { separators: ['+'], disabled: true } } })
  const expected = {
    Domain: { ASCII: 'shop.example', Unicode: '' },
    LocalpartCatchallSeparators: [],
    Disabled: false,
    ...noReports,
  }
  assert.partialDeepStrictEqual(await admin.done('PUT', '/domains/shop.example', {}), expected)
  assert.deepEqual(await admin.done('GET', '/domains/shop.example'), expected)
  assert.deepEqual(await admin.done('GET', '/domains'), [expected])
})

test('a change leaves what it does not name', async () => {
  const admin = testAdmin({ domains: { [domain]: enabled } })
  await admin.done('PATCH', '/domains/shop.example', { Disabled: true })
  assert.deepEqual(admin.state.options.domains, { [domain]: { separators: ['+'], disabled: true } })
  await admin.done('PATCH', '/domains/shop.example', { LocalpartCatchallSeparators: ['-', '+'] })
  assert.deepEqual(admin.state.options.domains, { [domain]: { separators: ['-', '+'], disabled: true } })
})

test('addresses for reports are set, kept, shown and cleared, and selectors stay', async () => {
  const dkimSelectors = [{ selector: 's', algorithm: 'ed25519-sha256', publicKey: 'p', signs: true }] as const
  const admin = testAdmin({
    domains: { [domain]: { ...enabled, dkimSelectors } },
    accounts: { shop: freshAccount },
  })
  admin.state.entries = [{ domain, localpart: 'reports', account: 'shop' }]
  const both = { DMARCReportAddress: 'Reports@shop.example', TLSReportAddress: 'reports+tls@shop.example' }
  assert.partialDeepStrictEqual(await admin.done('PUT', '/domains/shop.example', both), {
    DMARCReportAddress: 'reports@shop.example',
    TLSReportAddress: 'reports+tls@shop.example',
  })
  await admin.done('PATCH', '/domains/shop.example', { Disabled: true })
  await admin.done('PATCH', '/domains/shop.example', { DMARCReportAddress: null })
  assert.deepEqual(admin.state.options.domains[domain], {
    separators: [],
    disabled: true,
    dkimSelectors,
    tlsReports: 'reports+tls@shop.example',
  })
  await admin.done('PUT', '/domains/shop.example', {})
  assert.deepEqual(admin.state.options.domains[domain], { separators: [], disabled: false, dkimSelectors })
})

const badReportAddresses: readonly (readonly [address: string, rule: RegExp])[] = [
  ['', /malformed address/],
  ['nobody@shop.example', /no account has the address nobody@shop\.example; add it first/],
  ['dmarc@elsewhere.example', /there is no domain elsewhere\.example; add it first/],
]

for (const field of ['DMARCReportAddress', 'TLSReportAddress']) {
  for (const [address, rule] of badReportAddresses) {
    test(`refuses "${address}" as ${field}`, async () => {
      const admin = testAdmin({ domains: { [domain]: enabled } })
      const { status, json } = await admin.call('PATCH', '/domains/shop.example', { [field]: address })
      assert.equal(status, 400)
      assert.match((json as { Message: string }).Message, new RegExp(`^${field}: ${rule.source}`))
      assert.deepEqual(admin.state.options.domains, { [domain]: enabled })
    })
  }
}

test('an international domain is one domain, with A-labels or U-labels', async () => {
  const admin = testAdmin()
  await admin.done('PUT', `/domains/${encodeURIComponent('bücher.example')}`, {})
  assert.deepEqual(await admin.done('GET', '/domains/xn--bcher-kva.example'), {
    Domain: { ASCII: 'xn--bcher-kva.example', Unicode: 'bücher.example' },
    LocalpartCatchallSeparators: [],
    Disabled: false,
    ...noReports,
  })
})

test('domains are listed by name', async () => {
  const admin = testAdmin({ domains: { 'z.example': enabled, 'a.example': enabled } })
  const list = (await admin.done('GET', '/domains')) as { Domain: { ASCII: string } }[]
  assert.deepEqual(
    list.map(({ Domain }) => Domain.ASCII),
    ['a.example', 'z.example'],
  )
})

for (const method of ['GET', 'PATCH', 'DELETE']) {
  test(`${method} of a domain that is not ours is 404`, async () => {
    const { status, json } = await testAdmin().call(
      method,
      '/domains/constructor',
      method === 'PATCH' ? {} : undefined,
    )
    assert.equal(status, 404)
    assert.deepEqual(json, { Code: 'notFound', Message: 'there is no domain constructor' })
  })
}

const separatorRule = 'must be 1 to 16 lower-case letters, digits or characters such as + - _ ='
const badSeparators = [
  { why: 'an empty separator', value: [''], field: '[0]', rule: separatorRule },
  { why: 'an at sign', value: ['+', '@'], field: '[1]', rule: separatorRule },
  { why: 'a dot', value: ['.'], field: '[0]', rule: separatorRule },
  { why: 'upper case', value: ['X'], field: '[0]', rule: separatorRule },
  { why: 'a repetition', value: ['+', '+'], field: '', rule: 'must not name a separator twice' },
  { why: 'a text', value: '+', field: '', rule: 'must be a list' },
]

for (const { why, value, field, rule } of badSeparators) {
  test(`refuses ${why} among the separators`, async () => {
    const admin = testAdmin()
    const { status, json } = await admin.call('PUT', '/domains/shop.example', {
      LocalpartCatchallSeparators: value,
    })
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: `LocalpartCatchallSeparators${field}: ${rule}` })
    assert.deepEqual(admin.state.options.domains, {})
  })
}

test('refuses a separator that addresses of the domain contain', async () => {
  const admin = testAdmin({ domains: { [domain]: { separators: [], disabled: false } } })
  admin.state.entries = [{ domain, localpart: 'the-shop', account: 'shop' }]
  const { status, json } = await admin.call('PATCH', '/domains/shop.example', {
    LocalpartCatchallSeparators: ['-'],
  })
  assert.equal(status, 400)
  assert.deepEqual(json, {
    Code: 'user',
    Message: 'LocalpartCatchallSeparators: must not be part of the addresses the-shop@shop.example',
  })
})

test('refuses a malformed domain name', async () => {
  const { status, json } = await testAdmin().call('PUT', '/domains/192.0.2.1', {})
  assert.equal(status, 400)
  assert.match((json as { Message: string }).Message, /^Domain: malformed domain name "192\.0\.2\.1"/)
})

test('removes a domain without addresses', async () => {
  const admin = testAdmin({ domains: { [domain]: enabled } })
  assert.deepEqual(await admin.done('DELETE', '/domains/shop.example'), { SES: null })
  assert.deepEqual(admin.state.options.domains, {})
})

test('keeps a domain that has addresses, and names them', async () => {
  const admin = testAdmin({ domains: { [domain]: enabled } })
  admin.state.entries = [
    { domain, localpart: 'ann', account: 'shop' },
    { domain, localpart: '@', account: 'shop' },
  ]
  const { status, json } = await admin.call('DELETE', '/domains/shop.example')
  assert.equal(status, 400)
  assert.deepEqual(json, {
    Code: 'user',
    Message: 'Domain: still has the addresses ann@shop.example, @shop.example',
  })
  assert.deepEqual(admin.state.options.domains, { [domain]: enabled })
})

test('names twenty addresses at most', async () => {
  const admin = testAdmin({ domains: { [domain]: enabled } })
  admin.state.entries = Array.from({ length: 22 }, (_, n) => ({
    domain,
    localpart: `n${n}`,
    account: 'shop',
  }))
  const { json } = await admin.call('DELETE', '/domains/shop.example')
  assert.match((json as { Message: string }).Message, /n18@shop\.example, n19@shop\.example and 2 more$/)
})
