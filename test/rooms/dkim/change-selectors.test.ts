import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions, type Options } from '../../../shared/account/options.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { addSelector, removeSelector } from '../../../shared/dkim/change-selectors.ts'
import { newDkimKeyPair } from '../../../shared/dkim/dkim-key.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const domain = parseDomainName('shop.example')

test('a key stays as long as another selector signs with it, and goes with the last', async () => {
  let options: Options = { ...freshOptions, domains: { [domain]: { separators: [], disabled: false } } }
  const kept = new Map<string, Uint8Array>()
  const ports = {
    options: {
      read: async () => options,
      readNewest: async () => options,
      change: async (edit: (before: Options) => Options) => {
        options = edit(options)
        return options
      },
    },
    dkimKeys: {
      read: async (_: string, publicKey: string) => kept.get(publicKey),
      keep: async (_: string, publicKey: string, sealed: Uint8Array) => void kept.set(publicKey, sealed),
      remove: async (_: string, publicKey: string) => void kept.delete(publicKey),
    },
    sealingSecret: async () => 'secret',
    clock: fakeClock(),
    random: seededRandom(1),
  }
  const keys = await newDkimKeyPair('ed25519-sha256')
  const added = { algorithm: 'ed25519-sha256', keys, signs: true } as const
  await addSelector(ports, domain, { ...added, selector: 'old' })
  assert.equal((await addSelector(ports, domain, { ...added, selector: 'new' })).selector, 'new')
  await removeSelector(ports, domain, 'old')
  assert.equal(kept.has(keys.publicKey), true)
  await removeSelector(ports, domain, 'new')
  assert.equal(kept.has(keys.publicKey), false)
})
