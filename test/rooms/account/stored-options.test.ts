import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount, freshOptions } from '../../../shared/account/options.ts'
import { type StoredOptions, withDefaults } from '../../../shared/account/stored-options.ts'

test('settings that an earlier version did not know have their defaults', () => {
  const { fullName, loginDisabled } = freshAccount
  const earlier = { version: 7, domains: {}, accounts: { shop: { fullName, loginDisabled } }, transports: {} }
  const options = withDefaults(earlier as unknown as StoredOptions)
  assert.deepEqual(options, { ...freshOptions, version: 7, accounts: { shop: freshAccount } })
})

const relay = { host: 'smtp.example', tls: 'required' } as const
const kinds = [
  { port: 25, kind: 'smtp' },
  { port: 587, kind: 'submission' },
  { port: 465, kind: 'submissions' },
] as const
for (const { port, kind } of kinds) {
  test(`a relay at port ${port} that has no kind yet is of kind ${kind}, as it was treated`, () => {
    const { transports } = withDefaults({ ...freshOptions, transports: { relay: { ...relay, port } } })
    assert.deepEqual(transports, { relay: { ...relay, port, kind } })
  })
}

test('a transport that has a kind keeps it', () => {
  const transports = { odd: { ...relay, kind: 'smtp', port: 465 }, ses: { kind: 'ses' } } as const
  assert.deepEqual(withDefaults({ ...freshOptions, transports }).transports, transports)
})
