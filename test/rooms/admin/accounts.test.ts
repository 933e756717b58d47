import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Account, freshAccount } from '../../../shared/account/options.ts'
import { isPassword, storePassword } from '../../../shared/account/password.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { testAdmin } from '../../support/admin-ports.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const domain = parseDomainName('shop.example')
const domains = { [domain]: { separators: ['+'], disabled: false } }
const HOUR_NS = 3_600_000_000_000

const fresh = {
  Name: 'shop',
  FullName: '',
  OutgoingWebhook: null,
  IncomingWebhook: null,
  FromIDLoginAddresses: [],
  KeepRetiredMessagePeriod: 0,
  KeepRetiredWebhookPeriod: 0,
  MaxOutgoingMessagesPerDay: 1000,
  MaxFirstTimeRecipientsPerDay: 200,
  QuotaMessageSize: 0,
  LoginDisabled: '',
  Addresses: [],
  PasswordSet: false,
}

function shopAdmin(account: Partial<Account> = {}) {
  return testAdmin({ domains, accounts: { shop: { ...freshAccount, ...account } } })
}

test('an account can be created with nothing but a name', async () => {
  const admin = testAdmin()
  assert.deepEqual(await admin.done('PUT', '/accounts/shop', {}), fresh)
  assert.deepEqual(admin.state.options.accounts, { shop: freshAccount })
})

test('an account can be created with password, addresses and settings', async () => {
  const admin = testAdmin({ domains })
  const body = {
    Password: 'correct horse',
    Addresses: ['Ann@shop.example', '@shop.example'],
    FullName: 'The Shop',
  }
  assert.deepEqual(await admin.done('PUT', '/accounts/shop', body), {
    ...fresh,
    FullName: 'The Shop',
    Addresses: ['ann@shop.example', '@shop.example'],
    PasswordSet: true,
  })
  const stored = admin.state.passwords.get('shop')
  assert.ok(stored && (await isPassword('correct horse', stored)))
})

const notCreated = [
  {
    why: 'a name with upper case',
    name: 'Shop',
    body: {},
    message:
      'Account: must be 1 to 63 lower-case letters, digits, dots, dashes or underscores, and begin with a letter or digit',
  },
  { why: 'a name that exists', name: 'other', body: {}, message: 'Account: other exists already' },
  {
    why: 'the name of a removed account',
    name: 'gone',
    body: {},
    message: 'Account: gone was the name of a removed account and is never given again',
  },
  {
    why: 'an address of another account',
    name: 'shop',
    body: { Addresses: ['ann@shop.example', 'taken@shop.example'], Password: 'correct horse' },
    message: 'Addresses[1]: taken@shop.example belongs to account other already',
  },
  {
    why: 'an address of a domain that is not ours',
    name: 'shop',
    body: { Addresses: ['ann@remote.example'] },
    message: 'Addresses[0]: there is no domain remote.example; add it first',
  },
  {
    why: 'a short password',
    name: 'shop',
    body: { Password: 'short' },
    message: 'Password: must be 8 to 256 characters without control characters',
  },
]

for (const { why, name, body, message } of notCreated) {
  test(`creates nothing for ${why}`, async () => {
    const admin = testAdmin({ domains, accounts: { other: freshAccount }, removedAccounts: ['gone'] })
    const taken = [{ domain, localpart: 'taken', account: 'other' }]
    admin.state.entries = taken
    const { status, json } = await admin.call('PUT', `/accounts/${name}`, body)
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: message })
    assert.deepEqual(Object.keys(admin.state.options.accounts), ['other'])
    assert.deepEqual(admin.state.entries, taken)
    assert.equal(admin.state.passwords.size, 0)
  })
}

test('a name that objects have as a property is a name like others', async () => {
  const admin = testAdmin()
  assert.equal((await admin.call('GET', '/accounts/constructor')).status, 404)
  await admin.done('PUT', '/accounts/constructor', {})
  assert.deepEqual(Object.keys(admin.state.options.accounts), ['constructor'])
})

test('accounts are listed by name', async () => {
  const admin = testAdmin({ accounts: { zoo: freshAccount, shop: freshAccount } })
  const list = (await admin.done('GET', '/accounts')) as { Name: string }[]
  assert.deepEqual(
    list.map(({ Name }) => Name),
    ['shop', 'zoo'],
  )
})

test('a change leaves what it does not name', async () => {
  const admin = shopAdmin({ fullName: 'The Shop', keepRetiredWebhooksMs: 5 })
  await admin.done('PATCH', '/accounts/shop', {
    KeepRetiredMessagePeriod: 72 * HOUR_NS,
    LoginDisabled: 'unpaid',
  })
  assert.deepEqual(admin.state.options.accounts.shop, {
    fullName: 'The Shop',
    fromIdLoginAddresses: [],
    keepRetiredMessagesMs: 259_200_000,
    keepRetiredWebhooksMs: 5,
    loginDisabled: 'unpaid',
  })
})

test('daily limits are set, switched off by 0, and go back to the default by null', async () => {
  const admin = shopAdmin()
  const change = async (
    MaxOutgoingMessagesPerDay: number | null,
    MaxFirstTimeRecipientsPerDay: number | null,
  ) => {
    const body = { MaxOutgoingMessagesPerDay, MaxFirstTimeRecipientsPerDay }
    const after = (await admin.done('PATCH', '/accounts/shop', body)) as typeof fresh
    return [after.MaxOutgoingMessagesPerDay, after.MaxFirstTimeRecipientsPerDay]
  }
  assert.deepEqual(await change(5, 0), [5, 0])
  await admin.done('PATCH', '/accounts/shop', { FullName: 'x' })
  assert.equal(admin.state.options.accounts.shop?.maxOutgoingMessagesPerDay, 5)
  assert.deepEqual(await change(0, null), [0, 200])
  assert.deepEqual(await change(null, null), [1000, 200])
})

test('ten years of nanoseconds are read and written exactly', async () => {
  const admin = shopAdmin()
  const tenYears = 87_600 * HOUR_NS
  const found = await admin.done('PATCH', '/accounts/shop', {
    KeepRetiredWebhookPeriod: tenYears - 1_000_000,
  })
  assert.equal((found as typeof fresh).KeepRetiredWebhookPeriod, 315_359_999_999_000_000)
  assert.equal(admin.state.options.accounts.shop?.keepRetiredWebhooksMs, 315_359_999_999)
})

test('what a webhook sends as Authorization is kept and never shown', async () => {
  const admin = shopAdmin()
  const webhook = { URL: 'https://hook.example/a?b', Authorization: 'Bearer secret' }
  const body = { OutgoingWebhook: { ...webhook, Events: ['failed'] }, IncomingWebhook: webhook }
  const { OutgoingWebhook, IncomingWebhook } = (await admin.done(
    'PATCH',
    '/accounts/shop',
    body,
  )) as typeof fresh
  assert.deepEqual(OutgoingWebhook, {
    URL: webhook.URL,
    AuthorizationSet: true,
    DisableAfterDays: null,
    DisabledAt: null,
    Events: ['failed'],
    KeepEveryEvent: false,
  })
  assert.deepEqual(IncomingWebhook, {
    URL: webhook.URL,
    AuthorizationSet: true,
    DisableAfterDays: null,
    DisabledAt: null,
  })
  assert.doesNotMatch(JSON.stringify(await admin.done('GET', '/accounts')), /secret/)
  assert.equal(admin.state.options.accounts.shop?.outgoingWebhook?.authorization, 'Bearer secret')
})

const webhookBefore = { url: 'https://hook.example/', authorization: 'Bearer secret', events: ['failed'] }
const webhookChanges = [
  { why: 'null removes it', change: null, after: undefined },
  {
    why: 'the URL alone',
    change: { URL: 'http://b.example' },
    after: { ...webhookBefore, url: 'http://b.example' },
  },
  {
    why: 'that every event is kept',
    change: { KeepEveryEvent: true },
    after: { ...webhookBefore, keepsEveryEvent: true },
  },
  {
    why: 'the URL alone, with a port from 1024',
    change: { URL: 'https://b.example:1024/' },
    after: { ...webhookBefore, url: 'https://b.example:1024/' },
  },
  { why: 'the events alone', change: { Events: [] }, after: { ...webhookBefore, events: [] } },
  {
    why: 'after how many days of failures it is disabled',
    change: { DisableAfterDays: 30 },
    after: { ...webhookBefore, disableAfterDays: 30 },
  },
  { why: 'no Authorization', change: { Authorization: '' }, after: { ...webhookBefore, authorization: '' } },
]

for (const { why, change, after } of webhookChanges) {
  test(`a change within a webhook leaves the rest of it (RFC 7396): ${why}`, async () => {
    const admin = shopAdmin({ outgoingWebhook: webhookBefore })
    await admin.done('PATCH', '/accounts/shop', { OutgoingWebhook: change })
    assert.deepEqual(admin.state.options.accounts.shop?.outgoingWebhook, after)
  })
}

const disabled = { ...webhookBefore, disableAfterDays: 3, disabledAt: Date.UTC(2026, 5, 1) }
const enabled = { ...webhookBefore, disableAfterDays: 3 }
const url = webhookBefore.url
const changesOfDisabled = [
  { why: 'its URL again enables it', change: { URL: url }, after: enabled, forgotten: [url] },
  {
    why: 'another URL enables it',
    change: { URL: 'https://b.example/' },
    after: { ...enabled, url: 'https://b.example/' },
    forgotten: ['https://b.example/'],
  },
  { why: 'DisabledAt null enables it', change: { DisabledAt: null }, after: enabled, forgotten: [url] },
  {
    why: 'other settings leave it disabled',
    change: { Events: [], DisableAfterDays: null },
    after: { ...webhookBefore, events: [], disabledAt: disabled.disabledAt },
    forgotten: [],
  },
]
for (const { why, change, after, forgotten } of changesOfDisabled) {
  test(`of a webhook that was disabled: ${why}`, async () => {
    const admin = shopAdmin({ outgoingWebhook: disabled })
    const before = (await admin.done('GET', '/accounts/shop')) as { OutgoingWebhook: object }
    assert.deepEqual(before.OutgoingWebhook, {
      URL: url,
      AuthorizationSet: true,
      DisableAfterDays: 3,
      DisabledAt: '2026-06-01T00:00:00.000Z',
      Events: ['failed'],
      KeepEveryEvent: false,
    })
    await admin.done('PATCH', '/accounts/shop', { OutgoingWebhook: change })
    assert.deepEqual(admin.state.options.accounts.shop?.outgoingWebhook, after)
    const names = forgotten.map((each) => ({ account: 'shop', direction: 'outgoing', url: each }))
    assert.deepEqual(admin.state.forgotten, names)
  })
}

const daysRule = 'must be a whole number of days from 1 to 30, or null for never'
const urlRule =
  'must be an http or https URL of at most 2048 characters without user name, fragment, spaces or control characters'
const authorizationRule = 'must be at most 2048 characters of printable ASCII'
const periodRule = 'must be nanoseconds, in whole milliseconds, from 0 to 10 years'
const textRule = 'must be at most 200 characters without control characters'
const eventRule =
  'must be one of delivered, suppressed, delayed, failed, relayed, expanded, canceled, unrecognized'

const limitRule = 'must be a whole number, 0 for no limit, or null for the default'
const badSettings = [
  ...[
    '',
    'hook.example',
    'ftp://hook.example/',
    'http:hook.example',
    'https://user@hook.example/',
    'https://user:secret@hook.example/',
    'https://hook.example/#fragment',
    'https://hook.example/a b',
    'https://hook.example/\r\nX: y',
    'https://hook.example\\@other.example/',
    'https://',
    'https://hook.example:99999/',
    `https://hook.example/${'a'.repeat(2048)}`,
  ].map((URL) => ({ body: { IncomingWebhook: { URL } }, field: 'IncomingWebhook.URL', rule: urlRule })),
  ...['http://hook.example:25/', 'https://hook.example:8/', 'https://hook.example:0'].map((URL) => ({
    body: { OutgoingWebhook: { URL } },
    field: 'OutgoingWebhook.URL',
    rule: 'the port must be 80, 443 or at least 1024',
  })),
  ...[0, 31, 1.5, -1].map((DisableAfterDays) => ({
    body: { IncomingWebhook: { DisableAfterDays } },
    field: 'IncomingWebhook.DisableAfterDays',
    rule: daysRule,
  })),
  {
    body: { OutgoingWebhook: { DisabledAt: '2026-06-01T00:00:00.000Z' } },
    field: 'OutgoingWebhook.DisabledAt',
    rule: 'must be null',
  },
  { body: { OutgoingWebhook: {} }, field: 'OutgoingWebhook.URL', rule: 'is required' },
  {
    body: { IncomingWebhook: { URL: 'https://a.example', Authorization: 'a\r\nX: y' } },
    field: 'IncomingWebhook.Authorization',
    rule: authorizationRule,
  },
  {
    body: { IncomingWebhook: { URL: 'https://a.example', Authorization: 'é' } },
    field: 'IncomingWebhook.Authorization',
    rule: authorizationRule,
  },
  {
    body: { OutgoingWebhook: { URL: 'https://a.example', Events: ['delivered', 'sent'] } },
    field: 'OutgoingWebhook.Events[1]',
    rule: eventRule,
  },
  {
    body: { IncomingWebhook: { URL: 'https://a.example', Events: [] } },
    field: 'IncomingWebhook.Events',
    rule: 'unknown field',
  },
  { body: { KeepRetiredMessagePeriod: -1_000_000 }, field: 'KeepRetiredMessagePeriod', rule: periodRule },
  { body: { KeepRetiredMessagePeriod: 1 }, field: 'KeepRetiredMessagePeriod', rule: periodRule },
  {
    body: { KeepRetiredWebhookPeriod: 87_601 * HOUR_NS },
    field: 'KeepRetiredWebhookPeriod',
    rule: periodRule,
  },
  { body: { KeepRetiredWebhookPeriod: '72h' }, field: 'KeepRetiredWebhookPeriod', rule: 'must be a number' },
  { body: { FullName: 'a\nb' }, field: 'FullName', rule: textRule },
  { body: { FullName: 'a'.repeat(201) }, field: 'FullName', rule: textRule },
  {
    body: { LoginDisabled: '\u001b[31m' },
    field: 'LoginDisabled',
    rule: 'must be at most 500 characters without control characters',
  },
  { body: { MaxOutgoingMessagesPerDay: -1 }, field: 'MaxOutgoingMessagesPerDay', rule: limitRule },
  { body: { Name: 'other' }, field: 'Name', rule: 'unknown field' },
]

for (const { body, field, rule } of badSettings) {
  test(`refuses ${JSON.stringify(body).slice(0, 100)} by field and rule`, async () => {
    const admin = shopAdmin()
    const { status, json } = await admin.call('PATCH', '/accounts/shop', body)
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: `${field}: ${rule}` })
    assert.deepEqual(admin.state.options.accounts.shop, freshAccount)
  })
}

test('sets the password of an account that exists', async () => {
  const admin = shopAdmin()
  assert.deepEqual(await admin.done('PUT', '/accounts/shop/password', { Password: 'correct horse' }), {})
  const stored = admin.state.passwords.get('shop')
  assert.ok(stored && (await isPassword('correct horse', stored)))
  assert.equal(
    (await admin.call('PUT', '/accounts/other/password', { Password: 'correct horse' })).status,
    404,
  )
  assert.equal(
    (await admin.call('PUT', '/accounts/@admin/password', { Password: 'correct horse' })).status,
    404,
  )
})

test('a removed account leaves its name, and nothing else', async () => {
  const admin = testAdmin({ domains, accounts: { shop: freshAccount, other: freshAccount } })
  const others = { domain, localpart: 'bob', account: 'other' }
  admin.state.entries = [{ domain, localpart: 'ann', account: 'shop' }, others]
  admin.state.passwords.set('shop', await storePassword('correct horse', seededRandom()))
  assert.deepEqual(await admin.done('DELETE', '/accounts/shop'), {})
  assert.deepEqual(admin.state.options.accounts, { other: freshAccount })
  assert.deepEqual(admin.state.options.removedAccounts, ['shop'])
  assert.deepEqual(admin.state.entries, [others])
  assert.equal(admin.state.passwords.size, 0)
  assert.equal((await admin.call('PUT', '/accounts/shop', {})).status, 400)
})

test('an account with queued messages stays as it is', async () => {
  const admin = shopAdmin()
  const entries = [{ domain, localpart: 'ann', account: 'shop' }]
  admin.state.entries = entries
  admin.state.queued = [queuedMessage({ account: 'shop', recipient: parseAddress('bob@remote.example') })]
  const { status, json } = await admin.call('DELETE', '/accounts/shop')
  assert.equal(status, 400)
  assert.deepEqual(json, {
    Code: 'user',
    Message: 'Account: shop still has queued messages; they must be delivered or fail first',
  })
  assert.deepEqual(admin.state.entries, entries)
  assert.deepEqual(admin.state.options.accounts, { shop: freshAccount })
})

for (const [method, path] of [
  ['GET', '/accounts/nobody'],
  ['PATCH', '/accounts/nobody'],
  ['DELETE', '/accounts/nobody'],
] as const) {
  test(`${method} of an account that does not exist is 404`, async () => {
    const { status, json } = await shopAdmin().call(method, path, method === 'PATCH' ? {} : undefined)
    assert.equal(status, 404)
    assert.deepEqual(json, { Code: 'notFound', Message: 'there is no account "nobody"' })
  })
}
