import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Account, freshAccount } from '../../../shared/account/options.ts'
import type { AccountDetailsJson } from '../../../shared/admin/accounts.ts'
import type { NewWebhookSecretJson } from '../../../shared/admin/webhook-secrets.ts'
import { formatInstant } from '../../../shared/base/clock.ts'
import { type TestAdmin, testAdmin } from '../../support/admin-ports.ts'

const DAY = 86_400_000
const OUTGOING = '/accounts/shop/webhook-secrets/outgoing'
const unset = { Set: false, Created: null, PreviousUntil: null }
const URL = 'https://hook.example/'

function shopAdmin(account: Partial<Account> = {}): TestAdmin {
  return testAdmin({ accounts: { shop: { ...freshAccount, ...account } } })
}

async function rotate(admin: TestAdmin, path = OUTGOING): Promise<NewWebhookSecretJson> {
  return (await admin.done('POST', path, {})) as NewWebhookSecretJson
}

test('a webhook secret is answered once, to whoever made it', async () => {
  const admin = shopAdmin()
  const made = formatInstant(admin.ports.clock.now())
  assert.deepEqual(await admin.done('GET', OUTGOING), unset)
  const { Secret, ...shown } = await rotate(admin)
  assert.match(Secret, /^whsec_/)
  assert.deepEqual(shown, { Set: true, Created: made, PreviousUntil: null })
  assert.deepEqual(await admin.done('GET', OUTGOING), shown)
  assert.deepEqual(await admin.done('GET', OUTGOING.replace('outgoing', 'incoming')), unset)
  for (const path of ['/accounts', '/accounts/shop']) {
    assert.doesNotMatch(JSON.stringify(await admin.done('GET', path)), /whsec_/)
  }
})

test('a second webhook secret keeps the first for 24 hours, a third drops the first', async () => {
  const admin = shopAdmin()
  const first = await rotate(admin)
  const second = await rotate(admin)
  assert.equal(second.PreviousUntil, formatInstant(admin.ports.clock.now() + DAY))
  assert.equal(admin.state.signingSecrets.get('shop/outgoing')?.previous?.secret, first.Secret)
  const third = await rotate(admin)
  const stored = admin.state.signingSecrets.get('shop/outgoing')
  assert.deepEqual([stored?.secret, stored?.previous?.secret], [third.Secret, second.Secret])
})

test('the previous webhook secret can be ended at once, and again', async () => {
  const admin = shopAdmin()
  assert.deepEqual(await admin.done('DELETE', `${OUTGOING}/previous`), unset)
  await rotate(admin)
  const { Secret, Created } = await rotate(admin)
  for (let time = 0; time < 2; time++) {
    const ended = await admin.done('DELETE', `${OUTGOING}/previous`)
    assert.deepEqual(ended, { Set: true, Created, PreviousUntil: null })
  }
  const { secret, previous } = admin.state.signingSecrets.get('shop/outgoing') ?? {}
  assert.deepEqual([secret, previous], [Secret, undefined])
})

test('a rotation that is overtaken replaces the secret that overtook it', async () => {
  const admin = shopAdmin()
  const { read } = admin.ports.signingSecrets
  const overtaken: { Secret?: string } = {}
  Object.assign(admin.ports.signingSecrets, {
    read: async (...of: Parameters<typeof read>) => {
      const found = await read(...of)
      Object.assign(admin.ports.signingSecrets, { read })
      overtaken.Secret = (await rotate(admin)).Secret
      return found
    },
  })
  const { Secret } = await rotate(admin)
  const stored = admin.state.signingSecrets.get('shop/outgoing')
  assert.deepEqual([stored?.secret, stored?.previous?.secret], [Secret, overtaken.Secret])
})

test('the first webhook URL of a direction brings a secret, answered with the change that saved it', async () => {
  const admin = shopAdmin()
  const change = async (body: object) =>
    ((await admin.done('PATCH', '/accounts/shop', body)) as AccountDetailsJson).NewWebhookSecrets
  const secretOf = (direction: string) => admin.state.signingSecrets.get(`shop/${direction}`)?.secret

  assert.equal(await change({ FullName: 'The Shop' }), undefined)
  assert.deepEqual(await change({ OutgoingWebhook: { URL } }), { Outgoing: secretOf('outgoing') })
  assert.deepEqual(await change({ OutgoingWebhook: { URL }, IncomingWebhook: { URL } }), {
    Incoming: secretOf('incoming'),
  })
  assert.equal(await change({ OutgoingWebhook: null, IncomingWebhook: null }), undefined)
  assert.equal(await change({ OutgoingWebhook: { URL } }), undefined)
})

test('an account that is created with webhooks is told their secrets', async () => {
  const admin = testAdmin()
  const body = { OutgoingWebhook: { URL }, IncomingWebhook: { URL } }
  const { NewWebhookSecrets } = (await admin.done('PUT', '/accounts/shop', body)) as AccountDetailsJson
  const { Outgoing, Incoming } = NewWebhookSecrets ?? {}
  assert.ok(Outgoing && Incoming && Outgoing !== Incoming)
})

test('webhooks from before there were secrets stay unsigned until somebody asks for one', async () => {
  const admin = shopAdmin({ outgoingWebhook: { url: URL, authorization: '', events: [] } })
  await admin.done('PATCH', '/accounts/shop', { OutgoingWebhook: { Events: ['failed'] } })
  assert.deepEqual(await admin.done('GET', OUTGOING), unset)
})

test('a removed account leaves no webhook secret', async () => {
  const admin = shopAdmin()
  await rotate(admin)
  await rotate(admin, OUTGOING.replace('outgoing', 'incoming'))
  await admin.done('DELETE', '/accounts/shop')
  assert.equal(admin.state.signingSecrets.size, 0)
})

const refused = [
  {
    path: '/accounts/nobody/webhook-secrets/outgoing',
    body: {},
    status: 404,
    message: 'there is no account "nobody"',
  },
  {
    path: '/accounts/shop/webhook-secrets/both',
    body: {},
    status: 404,
    message: 'there are outgoing and incoming webhooks, but no "both"',
  },
  { path: OUTGOING, body: { Secret: 'whsec_mine' }, status: 400, message: 'Secret: unknown field' },
]
for (const { path, body, status, message } of refused) {
  test(`makes no webhook secret for POST ${path} with ${JSON.stringify(body)}`, async () => {
    const admin = shopAdmin()
    const answer = await admin.call('POST', path, body)
    const Code = status === 404 ? 'notFound' : 'user'
    assert.deepEqual(answer, { status, json: { Code, Message: message } })
    assert.equal(admin.state.signingSecrets.size, 0)
  })
}
