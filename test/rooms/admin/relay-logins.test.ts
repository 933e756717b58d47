import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openedRelayPasswords } from '../../../shared/queue/relay-passwords.ts'
import { type TestAdmin, testAdmin } from '../../support/admin-ports.ts'

const relay = { Kind: 'submission', Host: 'smtp.example', Port: 587, TLS: 'required' }
const Mechanisms = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1', 'CRAM-MD5']
const set = (Login: object | null, more: object = {}) => ({ ...relay, ...more, Login })
const shopLogin = { Username: 'shop', Password: 'correct horse' }

async function adminWithLogin(): Promise<TestAdmin> {
  const admin = testAdmin()
  await admin.done('PUT', '/transports/relay', set(shopLogin))
  return admin
}

function loginOf({ state }: TestAdmin) {
  const { relay: transport } = state.options.transports
  return (transport && 'login' in transport && transport.login) || assert.fail('no login')
}

/** What a worker would log in with. */
async function passwordOf(admin: TestAdmin): Promise<string | undefined> {
  const { sealingSecret } = admin.ports
  const read = async (name: string) => admin.state.relayPasswords.get(name)
  const passwords = openedRelayPasswords({ relayPasswords: { read }, sealingSecret })
  return await passwords.read(loginOf(admin).secretName)
}

test('a password is kept sealed, and stands in no answer and no options', async () => {
  const admin = testAdmin()
  const answered = await admin.done('PUT', '/transports/relay', set(shopLogin))
  assert.deepEqual(answered, { Name: 'relay', ...set({ Username: 'shop', Mechanisms }) })
  const listed = await admin.done('GET', '/transports')
  const sealed = [...admin.state.relayPasswords.values()].map((bytes) =>
    Buffer.from(bytes).toString('latin1'),
  )
  assert.doesNotMatch(JSON.stringify([answered, listed, admin.state.options, sealed]), /horse/)
  assert.equal(await passwordOf(admin), 'correct horse')
})

test('mechanisms have the order that was given, and PLAIN and LOGIN only if they are named', async () => {
  const admin = testAdmin()
  const Login = { ...shopLogin, Mechanisms: ['PLAIN', 'CRAM-MD5'] }
  await admin.done('PUT', '/transports/relay', set(Login))
  assert.deepEqual(loginOf(admin).mechanisms, ['PLAIN', 'CRAM-MD5'])
})

const kept: readonly [rule: string, body: object][] = [
  ['other settings change', set({ Username: 'shop' }, { Port: 2587, TLS: 'unverified' })],
  ['the mechanisms change', set({ Username: 'shop', Mechanisms: ['PLAIN'] })],
  ['its kind changes', set({ Username: 'shop' }, { Kind: 'submissions', Port: 465 })],
]
for (const [rule, body] of kept) {
  test(`a password stays when ${rule}`, async () => {
    const admin = await adminWithLogin()
    await admin.done('PUT', '/transports/relay', body)
    assert.equal(await passwordOf(admin), 'correct horse')
    assert.equal(admin.state.relayPasswords.size, 1)
  })
}

const demanded: readonly [rule: string, body: object][] = [
  ['another user', set({ Username: 'other' })],
  ['another host, which must not hear the present one', set({ Username: 'shop' }, { Host: 'evil.example' })],
]
for (const [rule, body] of demanded) {
  test(`a password is demanded for ${rule}`, async () => {
    const admin = await adminWithLogin()
    const before = admin.state.options
    const { status, json } = await admin.call('PUT', '/transports/relay', body)
    const Message = 'Login.Password: is required for a new user name or host'
    assert.deepEqual([status, json], [400, { Code: 'user', Message }])
    assert.equal(admin.state.options, before)
    assert.equal(await passwordOf(admin), 'correct horse')
  })
}

test('a new password gets a name of its own, and the old one is removed', async () => {
  const admin = await adminWithLogin()
  const before = loginOf(admin).secretName
  await admin.done('PUT', '/transports/relay', set({ ...shopLogin, Password: 'battery staple' }))
  assert.notEqual(loginOf(admin).secretName, before)
  assert.equal(await passwordOf(admin), 'battery staple')
  assert.deepEqual([...admin.state.relayPasswords.keys()], [loginOf(admin).secretName])
})

test('a change of password that dies before the options know it leaves the login as it was', async () => {
  const admin = await adminWithLogin()
  Object.assign(admin.ports.options, { change: () => Promise.reject(new Error('died')) })
  const body = set({ ...shopLogin, Password: 'battery staple' })
  assert.equal((await admin.call('PUT', '/transports/relay', body)).status, 500)
  assert.equal(await passwordOf(admin), 'correct horse')
})

test('a change of password that dies before the old one is removed has the new login', async () => {
  const admin = await adminWithLogin()
  Object.assign(admin.ports.relayPasswords, { remove: () => Promise.reject(new Error('died')) })
  const body = set({ ...shopLogin, Password: 'battery staple' })
  assert.equal((await admin.call('PUT', '/transports/relay', body)).status, 500)
  assert.equal(await passwordOf(admin), 'battery staple')
})

const ends: readonly [rule: string, method: string, body?: object][] = [
  ['its transport', 'DELETE'],
  ['its login', 'PUT', set(null)],
  ['its relay, when the transport becomes another kind', 'PUT', { Kind: 'ses' }],
]
for (const [rule, method, body] of ends) {
  test(`a password goes with ${rule}`, async () => {
    const admin = await adminWithLogin()
    await admin.done(method, '/transports/relay', body)
    assert.equal(admin.state.relayPasswords.size, 0)
  })
}
