import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminClient } from '../../scripts/cli/client.ts'
import { type SetUpOptions, setUp } from '../../scripts/setup.ts'
import { freshAccount } from '../../shared/account/options.ts'
import { isPassword } from '../../shared/account/password.ts'
import { parseDomainName } from '../../shared/address/domain-name.ts'
import { INITIAL_PASSWORD, testAdmin } from '../support/admin-ports.ts'
import { posternFor, runPostern, serveAdmin } from './admin-server.ts'

const wished: SetUpOptions = {
  adminPassword: 'administrator',
  hostname: 'mail.shop.example',
  domain: 'shop.example',
  separators: ['+'],
  account: 'shop',
  address: 'ann@shop.example',
  password: 'correct horse',
  fullName: 'The Shop',
}

test('a setup makes domain, account, address and the administrator', async (t) => {
  const admin = testAdmin()
  const client = adminClient({ url: await serveAdmin(t, admin), password: INITIAL_PASSWORD })
  assert.deepEqual(await setUp(client, wished), [
    'host name mail.shop.example: set',
    'domain shop.example: added',
    'account shop: added',
    'address ann@shop.example: added',
    "administrator's password: set",
  ])
  const { hostname, domains, accounts } = admin.state.options
  assert.equal(hostname, 'mail.shop.example')
  assert.deepEqual(domains, { 'shop.example': { separators: ['+'], disabled: false } })
  assert.deepEqual(accounts, { shop: { ...freshAccount, fullName: 'The Shop' } })
  assert.deepEqual(admin.state.entries, [{ domain: 'shop.example', localpart: 'ann', account: 'shop' }])
})

test('a second setup changes nothing, although the first password is gone', async (t) => {
  const admin = testAdmin()
  const client = adminClient({ url: await serveAdmin(t, admin), password: INITIAL_PASSWORD })
  await setUp(client, wished)
  const before = structuredClone(admin.state.options)
  const passwords = new Map(admin.state.passwords)
  assert.deepEqual(await setUp(client, { ...wished, password: 'another one', separators: [] }), [
    'host name mail.shop.example: set already',
    'domain shop.example: there already',
    'account shop: there already, its password was not changed',
    'address ann@shop.example: there already',
    "administrator's password: set already",
  ])
  assert.deepEqual(admin.state.options, before)
  assert.deepEqual(admin.state.passwords, passwords)
})

test('a setup that broke off before the password goes on there', async (t) => {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const client = adminClient({ url: await serveAdmin(t, admin), password: INITIAL_PASSWORD })
  const lines = await setUp(client, wished)
  assert.equal(lines[2], 'account shop: there already, its password was set')
  const stored = admin.state.passwords.get('shop')
  assert.ok(stored && (await isPassword('correct horse', stored)))
})

test('a setup without a new administrator password leaves the present one', async (t) => {
  const admin = testAdmin()
  const client = adminClient({ url: await serveAdmin(t, admin), password: INITIAL_PASSWORD })
  const { adminPassword: _none, ...rest } = wished
  assert.equal((await setUp(client, rest)).length, 4)
  assert.deepEqual([...admin.state.passwords.keys()], ['shop'])
})

test('an address of another account ends the setup', async (t) => {
  const domain = parseDomainName('shop.example')
  const admin = testAdmin({ domains: { [domain]: { separators: [], disabled: false } } })
  admin.state.entries = [{ domain, localpart: 'ann', account: 'other' }]
  const client = adminClient({ url: await serveAdmin(t, admin), password: INITIAL_PASSWORD })
  await assert.rejects(setUp(client, wished), {
    message: 'Address: ann@shop.example belongs to account other already',
  })
})

const args = ['setup', '--domain', 'shop.example', '--hostname', 'mail.shop.example', '--account', 'shop']
const whole = [...args, '--address', 'ann@shop.example']

test('postern setup takes passwords from the environment and prints none', async (t) => {
  const admin = testAdmin()
  const outcome = await runPostern(whole, {
    POSTERN_URL: await serveAdmin(t, admin),
    POSTERN_ADMIN_PASSWORD: INITIAL_PASSWORD,
    POSTERN_ACCOUNT_PASSWORD: 'secret-account',
    POSTERN_NEW_ADMIN_PASSWORD: 'secret-admin',
  })
  assert.deepEqual({ status: outcome.status, stderr: outcome.stderr }, { status: 0, stderr: '' })
  assert.match(outcome.stdout, /^account shop: added$/m)
  assert.doesNotMatch(outcome.stdout, /secret/)
  assert.deepEqual([...admin.state.passwords.keys()], ['shop', '@admin'])
})

const incomplete = [
  { why: 'no address', args, error: 'give --address' },
  { why: 'no password', args: whole, error: 'give --password or POSTERN_ACCOUNT_PASSWORD' },
  {
    why: 'a short password',
    args: [...whole, '--password', 'short'],
    error: '--password: must be at least 8 characters; nothing was done',
  },
  {
    why: "a short administrator's password",
    args: [...whole, '--password', 'correct horse', '--admin-password', 'short'],
    error: '--admin-password: must be at least 8 characters; nothing was done',
  },
]

for (const { why, args, error } of incomplete) {
  test(`postern setup with ${why} and nobody to ask does nothing`, async (t) => {
    const admin = testAdmin()
    const postern = await posternFor(t, admin)
    assert.deepEqual(await postern(...args), { status: 1, stdout: '', stderr: `error: ${error}\n` })
    assert.equal(admin.state.options.version, 0)
  })
}
