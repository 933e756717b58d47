import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, seal, sealingKeys } from '../../../shared/base/sealed.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const random = seededRandom()
const keys = sealingKeys('the current one\nan old one\n')
const context = 'certificate/mail.example'
const bytes = Buffer.from('a private key')

test('what was sealed opens again, and is not the same twice', () => {
  const sealed = seal(keys, random, context, bytes)
  assert.deepEqual(Buffer.from(open(keys, context, sealed)), bytes)
  assert.equal(Buffer.from(sealed).includes('private'), false)
  assert.notDeepEqual(seal(keys, random, context, bytes), sealed)
  assert.deepEqual(open(keys, context, seal(keys, random, context, new Uint8Array())), Buffer.of())
})

test('a key that was the current one still opens, and a removed one does not', () => {
  const sealed = seal(sealingKeys('an old one'), random, context, bytes)
  assert.deepEqual(Buffer.from(open(keys, context, sealed)), bytes)
  assert.throws(() => open(sealingKeys('the current one'), context, sealed), /none of the sealing keys/)
})

test('what was sealed as one thing does not open as another', () => {
  const sealed = seal(keys, random, context, bytes)
  assert.throws(() => open(keys, 'certificate/other.example', sealed), /certificate\/other\.example/)
})

test('a change of any byte is noticed, and so is a missing end', () => {
  const sealed = seal(keys, random, context, bytes)
  for (const place of sealed.keys()) {
    const changed = Uint8Array.from(sealed, (byte, at) => (at === place ? byte ^ 1 : byte))
    assert.throws(() => open(keys, context, changed))
  }
  for (const length of sealed.keys()) assert.throws(() => open(keys, context, sealed.subarray(0, length)))
})

test('a secret without a line gives no keys', () => {
  assert.throws(() => sealingKeys('\n'), /empty/)
})
