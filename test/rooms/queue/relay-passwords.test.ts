import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepRelayPassword, openedRelayPasswords } from '../../../shared/queue/relay-passwords.ts'
import { seededRandom } from '../../support/seeded-random.ts'

/** Sealed passwords, and how often they were read. */
function kept() {
  const sealed = new Map<string, Uint8Array>()
  const reads: string[] = []
  const relayPasswords = {
    keep: async (name: string, bytes: Uint8Array) => void sealed.set(name, bytes),
    read: async (name: string) => {
      reads.push(name)
      return sealed.get(name)
    },
  }
  const ports = { relayPasswords, sealingSecret: async () => 'a secret', random: seededRandom() }
  return { sealed, reads, ports }
}

test('a password is read and opened once', async () => {
  const { reads, ports } = kept()
  const name = await keepRelayPassword(ports, 'relay', 'pässword')
  assert.match(name, /^relay#[\w-]{16}$/)
  const passwords = openedRelayPasswords(ports)
  assert.deepEqual([await passwords.read(name), await passwords.read(name)], ['pässword', 'pässword'])
  assert.deepEqual(reads, [name])
})

test('a password that is not there is looked for again', async () => {
  const { reads, ports } = kept()
  const passwords = openedRelayPasswords(ports)
  assert.deepEqual([await passwords.read('relay#x'), await passwords.read('relay#x')], [undefined, undefined])
  assert.equal(reads.length, 2)
})

test('a password cannot be passed off as that of another login', async () => {
  const { sealed, ports } = kept()
  const name = await keepRelayPassword(ports, 'relay', 'x')
  sealed.set('other#x', sealed.get(name) ?? assert.fail('not kept'))
  await assert.rejects(openedRelayPasswords(ports).read('other#x'), /sealed with none of the sealing keys/)
})
