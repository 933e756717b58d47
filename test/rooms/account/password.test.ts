import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPassword, normalizePassword, storePassword } from '../../../shared/account/password.ts'
import { passwordVerifier } from '../../../shared/account/password-verifier.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const random = seededRandom()

test('a stored password knows itself and no other', async () => {
  const stored = await storePassword('correct horse', random)
  assert.match(stored.argon2id, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.equal(await isPassword('correct horse', stored), true)
  assert.equal(await isPassword('correct hors', stored), false)
})

test('the SCRAM-SHA-256 keys are those of RFC 7677 (salt, iterations, StoredKey, ServerKey)', async () => {
  const { scramSha256 } = await storePassword('pencil', random)
  assert.equal(Buffer.from(scramSha256.salt, 'base64').length, 16)
  assert.ok(scramSha256.iterations >= 4096)
  assert.equal(Buffer.from(scramSha256.storedKey, 'base64').length, 32)
  assert.notEqual(scramSha256.storedKey, scramSha256.serverKey)
})

test('AT-10: passwords that PRECIS OpaqueString makes equal are equal (RFC 8265 §4.2.2)', async () => {
  const stored = await storePassword('te\u0301st passw\u00f6rd', random)
  assert.equal(await isPassword('t\u00e9st\u2003passwo\u0308rd', stored), true)
  assert.equal(normalizePassword('a\u00a0b'), 'a b')
})

test('a right password is believed for a minute without hashing, a changed one no longer', async () => {
  const clock = fakeClock()
  let stored = await storePassword('first-password', random)
  let reads = 0
  const verifier = passwordVerifier({
    clock,
    random,
    credentials: {
      password: async () => {
        reads++
        return stored
      },
      setPassword: async () => {},
      remove: async () => {},
    },
  })
  assert.equal(await verifier.verify('a', 'first-password'), true)
  assert.equal(await verifier.verify('a', 'first-password'), true)
  assert.equal(reads, 1)
  stored = await storePassword('second-password', random)
  assert.equal(await verifier.verify('a', 'second-password'), true, 'a new password works at once')
  assert.equal(await verifier.verify('a', 'first-password'), false)
  clock.advance(61_000)
  assert.equal(await verifier.verify('b', 'second-password'), true, 'other holders are asked for themselves')
})
