import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../shared/account/options.ts'
import { testAdmin } from '../support/admin-ports.ts'
import { posternFor } from './admin-server.ts'

const accounts = { shop: freshAccount }

test('AT-66: hold rules are added with IDN domains, listed and removed', async (t) => {
  const admin = testAdmin({ accounts })
  const postern = await posternFor(t, admin)
  assert.equal(
    (await postern('holdrules', 'add', '--account', 'shop', '--recipient', 'bücher.example')).stdout,
    'hold rule 1 added: it holds messages of account shop to bücher.example\n',
  )
  assert.equal(admin.state.options.holdRules[0]?.recipient, 'xn--bcher-kva.example')
  assert.equal(
    (await postern('holdrules', 'add', '--sender', 'Ann@shop.example')).stdout,
    'hold rule 2 added: it holds messages from ann@shop.example\n',
  )
  assert.equal(
    (await postern('holdrules', 'list')).stdout,
    [
      'ID  CREATED                   ACCOUNT  SENDER            RECIPIENT',
      '1   2026-06-01T00:00:00.000Z  shop     any               bücher.example',
      '2   2026-06-01T00:00:00.000Z  any      ann@shop.example  any',
      '',
    ].join('\n'),
  )
  assert.deepEqual(
    JSON.parse((await postern('holdrules', 'list', '--json')).stdout),
    await admin.done('GET', '/holdrules'),
  )
  assert.equal(
    (await postern('holdrules', 'remove', '1')).stdout,
    'hold rule 1 removed; what it held stays on hold until postern queue release\n',
  )
  assert.deepEqual(
    admin.state.options.holdRules.map(({ id }) => id),
    [2],
  )
})

test('a rule that pauses everything needs --all where nobody can be asked', async (t) => {
  const admin = testAdmin({ accounts })
  const postern = await posternFor(t, admin)
  const error = 'error: a rule without any condition pauses everything: give --all\n'
  assert.deepEqual(await postern('holdrules', 'add'), { status: 1, stdout: '', stderr: error })
  assert.deepEqual(admin.state.options.holdRules, [])
  assert.equal(
    (await postern('holdrules', 'add', '--all')).stdout,
    'hold rule 1 added: it holds every message\n',
  )
})

const EMPTY = 'It is empty, which would be everything.'
for (const { args, error } of [
  {
    args: ['add', '--account', ''],
    error: `option '--account <name>' argument '' is invalid. ${EMPTY}`,
  },
  {
    args: ['add', '--sender', ''],
    error: `option '--sender <place>' argument '' is invalid. ${EMPTY}`,
  },
  { args: ['add', '--recipient', 'a b'], error: 'Recipient: must be an address or a domain name' },
  { args: ['add', '--account', 'nobody'], error: 'account: there is no account "nobody"' },
  { args: ['remove', '9'], error: 'there is no hold rule 9' },
]) {
  test(`postern holdrules ${args.join(' ')} is refused in one line, and holds nothing`, async (t) => {
    const admin = testAdmin({ accounts })
    const postern = await posternFor(t, admin)
    const outcome = await postern('holdrules', ...args)
    assert.deepEqual(outcome, { status: 1, stdout: '', stderr: `error: ${error}\n` })
    assert.deepEqual(admin.state.options.holdRules, [])
  })
}
