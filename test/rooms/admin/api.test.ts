import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMINISTRATOR } from '../../../shared/account/credential-store.ts'
import { adminApi } from '../../../shared/admin/api.ts'
import { basic, INITIAL_PASSWORD, testAdmin } from '../../support/admin-ports.ts'

const PASSWORD = 'correct horse'

async function statusWith(admin: ReturnType<typeof testAdmin>, authorization: string): Promise<number> {
  const answer = await admin.app.request('/admin/api/domains', { headers: { Authorization: authorization } })
  return answer.status
}

const refused = [
  { why: 'no Authorization', headers: {} },
  { why: 'another scheme', headers: { Authorization: `Bearer ${INITIAL_PASSWORD}` } },
  { why: 'another user name', headers: { Authorization: basic('root', INITIAL_PASSWORD) } },
  { why: 'a wrong password', headers: { Authorization: basic('admin', `${INITIAL_PASSWORD}x`) } },
  { why: 'an empty password', headers: { Authorization: basic('admin', '') } },
]

for (const { why, headers } of refused) {
  test(`refuses ${why} with 401 and a challenge (RFC 7617 §2)`, async () => {
    const answer = await testAdmin().app.request('/admin/api/domains', { headers })
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('WWW-Authenticate'), 'Basic realm="postern admin"')
    assert.match(answer.headers.get('Content-Type') ?? '', /^text\/plain/)
  })
}

test('refuses everybody while the generated secret is empty', async () => {
  const { ports } = testAdmin()
  const app = adminApi({ ...ports, initialPassword: async () => '' })
  const answer = await app.request('/admin/api/domains', { headers: { Authorization: basic('admin', '') } })
  assert.equal(answer.status, 401)
})

test('the generated secret is the password until another is set', async () => {
  const admin = testAdmin()
  assert.equal(await statusWith(admin, basic('admin', INITIAL_PASSWORD)), 200)
  assert.deepEqual(await admin.done('PUT', '/password', { Password: PASSWORD }), {})
  assert.equal(await statusWith(admin, basic('admin', INITIAL_PASSWORD)), 401)
  assert.equal(await statusWith(admin, basic('admin', PASSWORD)), 200)
})

test('a password is stored as hashes only', async () => {
  const admin = testAdmin()
  await admin.done('PUT', '/password', { Password: PASSWORD })
  const stored = admin.state.passwords.get(ADMINISTRATOR)
  assert.match(stored?.argon2id ?? '', /^\$argon2id\$/)
  assert.doesNotMatch(JSON.stringify(stored), new RegExp(PASSWORD))
})

const badBodies = [
  { why: 'no JSON', body: '{', message: 'body: must be JSON' },
  { why: 'an empty body', body: '', message: 'body: must be JSON' },
  { why: 'another kind of JSON', body: '[]', message: 'body: must be a JSON object' },
  { why: 'an unknown field', body: '{"Pasword":"x"}', message: 'Password: is required' },
  { why: 'a field too many', body: `{"Password":"${PASSWORD}","X":1}`, message: 'X: unknown field' },
  { why: 'a wrong type', body: '{"Password":12345678}', message: 'Password: must be a text' },
  {
    why: 'a short password',
    body: '{"Password":"1234567"}',
    message: 'Password: must be 8 to 256 characters without control characters',
  },
  {
    why: 'a line break in a password (RFC 8265 §4.2)',
    body: '{"Password":"12345678\\n"}',
    message: 'Password: must be 8 to 256 characters without control characters',
  },
]

for (const { why, body, message } of badBodies) {
  test(`answers ${why} with 400 and the field`, async () => {
    const admin = testAdmin()
    const answer = await admin.app.request('/admin/api/password', {
      method: 'PUT',
      headers: { Authorization: basic('admin', INITIAL_PASSWORD) },
      body,
    })
    assert.equal(answer.status, 400)
    assert.deepEqual(await answer.json(), { Code: 'user', Message: message })
    assert.equal(admin.state.passwords.size, 0)
  })
}

test('refuses a body of more than a megabyte', async () => {
  const { status, json } = await testAdmin().call('PUT', '/hostname', { Hostname: 'a'.repeat(1_000_000) })
  assert.equal(status, 413)
  assert.deepEqual(json, { Code: 'user', Message: 'body: must be at most 1000000 bytes' })
})

test('answers an unknown path with 404', async () => {
  const { status, json } = await testAdmin().call('GET', '/nothing')
  assert.equal(status, 404)
  assert.deepEqual(json, { Code: 'notFound', Message: 'there is no GET /admin/api/nothing' })
})

test('an unknown path gives nothing away without the password', async () => {
  assert.equal((await testAdmin().app.request('/admin/api/nothing')).status, 401)
})

test('a fault of our own is logged and answered without its text', async () => {
  const admin = testAdmin()
  const fault = new Error('table postern-secret is gone')
  const app = adminApi({
    ...admin.ports,
    options: {
      read: () => Promise.reject(fault),
      readNewest: () => Promise.reject(fault),
      change: () => Promise.reject(fault),
    },
  })
  const answer = await app.request('/admin/api/domains', {
    headers: { Authorization: basic('admin', INITIAL_PASSWORD) },
  })
  assert.equal(answer.status, 500)
  assert.deepEqual(await answer.json(), { Code: 'server', Message: 'internal error' })
  assert.deepEqual(admin.state.errors, [fault])
})

test('answers are JSON in UTF-8 that nobody may keep', async () => {
  const answer = await testAdmin().app.request('/admin/api/domains', {
    headers: { Authorization: basic('admin', INITIAL_PASSWORD) },
  })
  assert.equal(answer.headers.get('Content-Type'), 'application/json; charset=utf-8')
  assert.equal(answer.headers.get('Cache-Control'), 'no-store')
})

test('the host name is read as a domain name and shown as it goes over the wire', async () => {
  const admin = testAdmin()
  assert.deepEqual(await admin.done('GET', '/hostname'), { Hostname: 'localhost' })
  assert.deepEqual(await admin.done('PUT', '/hostname', { Hostname: 'Mail.Example' }), {
    Hostname: 'mail.example',
  })
  assert.equal(admin.state.options.hostname, 'mail.example')
  const { json } = await admin.call('PUT', '/hostname', { Hostname: 'a b' })
  assert.deepEqual(json, { Code: 'user', Message: 'Hostname: malformed domain name "a b": bad characters' })
})
