import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { localSeed } from '../../scripts/local-postern.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

const disabled = { address: 'closed@localhost', password: 'closed-password' } as const
/** Composed, with an ordinary space. */
const normalized = {
  address: 'norm@localhost',
  password: 'te\u0301st pass wo\u0308rd'.normalize('NFC'),
} as const

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
  const { admin } = postern
  await admin.put('/accounts/closed', {
    Addresses: [disabled.address],
    Password: disabled.password,
    LoginDisabled: 'unpaid',
  })
  await admin.put('/accounts/norm', { Addresses: [normalized.address], Password: normalized.password })
  // A running function may work with options that are five seconds old.
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('AT-06: calls without credentials are 401 eleven times and never limited, and do not count as failures', async () => {
  for (let calls = 0; calls < 11; calls++) await assertUnauthorized(await callWith(undefined), /is needed/)
  assert.equal((await callWith(localSeed.password)).status, 400)
})

const logins: readonly (readonly [rule: string, authorization: string, reason: RegExp])[] = [
  ['a wrong password', basic(localSeed.address, 'wrongpassword'), /^bad user name or password$/m],
  [
    "another account's address",
    basic(normalized.address, localSeed.password),
    /^bad user name or password$/m,
  ],
  ['an unknown address', basic('nobody@localhost', localSeed.password), /^bad user name or password$/m],
  ['no address', basic('postern', localSeed.password), /^bad user name or password$/m],
  ['another scheme', `Bearer ${localSeed.password}`, /HTTP Basic authentication is needed/],
]
for (const [rule, authorization, reason] of logins) {
  test(`${rule} is answered 401, and the header asks for Basic`, async () => {
    await assertUnauthorized(await call({ authorization }), reason)
  })
}

test('AT-08: a disabled account is 401 with right and wrong password; only the right one is told why', async () => {
  const { address, password } = disabled
  await assertUnauthorized(await callWith(password, address), /^login disabled: unpaid$/m)
  await assertUnauthorized(await callWith('wrong', address), /^bad user name or password$/m)
  assert.equal((await callWith(localSeed.password)).status, 400)
})

test('AT-10: a password works in any form that PRECIS OpaqueString makes the same (RFC 8265 §4.2.2)', async () => {
  const { address, password } = normalized
  const forms = [
    password,
    password.normalize('NFD'),
    password.replaceAll(' ', '\u2003'),
    password.replaceAll(' ', '\u00a0'),
  ]
  assert.equal(new Set(forms).size, 4)
  for (const form of forms) assert.equal((await callWith(form, address)).status, 400)
  await assertUnauthorized(await callWith(password.toUpperCase(), address), /^bad user name or password$/m)
  assert.equal((await callWith(password, address)).status, 400)
})

test('a login that succeeds begins the counting anew', async () => {
  await untilEarlyInMinute()
  for (let calls = 0; calls < 9; calls++) assert.equal((await callWith('wrong')).status, 401)
  assert.equal((await callWith(localSeed.password)).status, 400)
  for (let calls = 0; calls < 9; calls++) assert.equal((await callWith('wrong')).status, 401)
  assert.equal((await callWith(localSeed.password)).status, 400)
})

test('AT-07: a wrong password is 401 ten times, then everything is 429 with Retry-After', async () => {
  await untilEarlyInMinute()
  for (let calls = 0; calls < 10; calls++) assert.equal((await callWith('wrong')).status, 401)
  for (const password of ['wrong', localSeed.password]) {
    const answer = await callWith(password)
    assert.equal(answer.status, 429)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
    const seconds = Number(answer.headers.get('retry-after'))
    assert.ok(seconds >= 1 && seconds <= 60)
  }
  assert.equal((await callWith(undefined)).status, 401)
})

/** A call as that user; without a password, a call without credentials. */
async function callWith(
  password: string | undefined,
  address: string = localSeed.address,
): Promise<Response> {
  return await call(password === undefined ? {} : { authorization: basic(address, password) })
}

/** Calls MessageGet for a message that does not exist: 400 says that the login was right. */
async function call(headers: Readonly<Record<string, string>>): Promise<Response> {
  return await fetch(`${postern.local.cloud.apiUrl}/webapi/v0/MessageGet`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"MsgID": 1}',
  })
}

function basic(userName: string, password: string): string {
  return `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`
}

async function assertUnauthorized(answer: Response, reason: RegExp): Promise<void> {
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('www-authenticate'), 'Basic realm=webapi')
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
  assert.match(await answer.text(), reason)
}

/** Windows begin with the minute; a test that runs over its end would count twice. */
async function untilEarlyInMinute(): Promise<void> {
  const intoMinute = Date.now() % MINUTE
  if (intoMinute > 45 * SECOND) await sleep(MINUTE - intoMinute)
}
