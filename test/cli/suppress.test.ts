import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freshAccount } from '../../shared/account/options.ts'
import { INITIAL_PASSWORD, type TestAdmin, testAdmin } from '../support/admin-ports.ts'
import { posternFor, runPostern, serveAdmin } from './admin-server.ts'

const accounts = { shop: freshAccount, other: freshAccount }

test('suppress: add, list, lookup, remove', async (t) => {
  const admin = testAdmin({ accounts })
  const postern = await posternFor(t, admin)
  const add = ['suppress', 'add', 'Bob.S+x@remote.example', '--account', 'shop']
  const added = await postern(...add, '--reason', 'asked\u0085')
  assert.deepEqual(added, {
    status: 1,
    stdout: '',
    stderr: 'error: Reason: must be at most 1000 characters, without control characters\n',
  })
  assert.deepEqual(await postern(...add, '--reason', 'asked'), {
    status: 0,
    stdout: 'bobs@remote.example is suppressed for account shop\n',
    stderr: '',
  })
  assert.deepEqual(await postern(...add), {
    status: 1,
    stdout: '',
    stderr: 'error: Address: bobs@remote.example is on the list of account shop already\n',
  })
  const list = [
    'ACCOUNT  BASE ADDRESS         ADDED AS                CREATED                   BY HAND  REASON',
    'shop     bobs@remote.example  Bob.S+x@remote.example  2026-06-01T00:00:00.000Z  yes      asked',
    '',
  ].join('\n')
  assert.equal((await postern('suppress', 'list', '--limit', '1')).stdout, list)
  assert.equal((await postern('suppress', 'lookup', 'bobs@remote.example')).stdout, list)
  assert.equal(
    (await postern('suppress', 'lookup', 'bobs@remote.example', '--account', 'other')).stdout,
    '(none)\n',
  )
  const remove = ['suppress', 'remove', 'BobS@remote.example', '--account', 'shop']
  assert.equal((await postern(...remove)).stdout, 'BobS@remote.example is suppressed no more\n')
  assert.equal(
    (await postern(...remove)).stderr,
    'error: bobs@remote.example is not on the list of account shop\n',
  )
})

test('with one account --account may be left out, with several it names them', async (t) => {
  const one = testAdmin({ accounts: { shop: freshAccount } })
  await (await posternFor(t, one))('suppress', 'add', 'a@x.test')
  assert.equal(one.state.suppressions[0]?.account, 'shop')

  const add = async (admin: TestAdmin, ...more: string[]) => {
    const { status, stderr } = await (await posternFor(t, admin))('suppress', 'add', 'a@x.test', ...more)
    return [status, stderr]
  }
  const several = testAdmin({ accounts })
  assert.deepEqual(await add(several), [1, 'error: give --account: one of other, shop\n'])
  assert.deepEqual(await add(several, '--account', ''), [1, 'error: --account: must not be empty\n'])
  const none = 'error: there is no account yet; add one with: postern account add\n'
  assert.deepEqual(await add(testAdmin()), [1, none])
  assert.deepEqual(several.state.suppressions, [])
})

test('suppress import names invalid rows by line, adds the others, and ends with 1', async (t) => {
  const admin = testAdmin({ accounts })
  const postern = await posternFor(t, admin)
  const file = join(directory(t), 'list.csv')
  writeFileSync(file, 'email,reason\na@x.test,asked\n\nno,\nA+b@x.test,again\n')
  const run = async (...more: string[]) =>
    await postern('suppress', 'import', file, '--account', 'shop', ...more)
  const invalid = [
    '1 invalid:',
    'LINE  ADDRESS  ERROR',
    '4     no       Address: malformed address "no": no @',
    '',
  ].join('\n')
  assert.deepEqual(await run('--dry-run'), {
    status: 1,
    stdout: `1 would be added, 1 listed already, ${invalid}`,
    stderr: '',
  })
  assert.deepEqual(admin.state.suppressions, [])
  assert.equal((await run()).stdout, `1 added, 1 listed already, ${invalid}`)
  const { stdout } = await run('--json')
  const error = 'Address: malformed address "no": no @'
  const Invalid = [{ Line: 4, Address: 'no', Error: error }]
  assert.deepEqual(JSON.parse(stdout), { Added: 0, Present: 2, InvalidCount: 1, Invalid })
  assert.equal(admin.state.suppressions.length, 1)
})

test('suppress import - reads standard input, and knows JSON by its content', async (t) => {
  const admin = testAdmin({ accounts })
  const environment = {
    POSTERN_URL: await serveAdmin(t, admin),
    POSTERN_ADMIN_PASSWORD: INITIAL_PASSWORD,
  }
  const run = async (input: string) =>
    await runPostern(['suppress', 'import', '-', '--account', 'shop'], environment, input)
  for (const input of ['\ufeffa@x.test\r\n', ' [{"Address": "b@x.test"}]']) {
    assert.deepEqual(await run(input), { status: 0, stdout: '1 added, 0 listed already\n', stderr: '' })
  }
  const reversed = await run('{"Suppressions": []}')
  assert.deepEqual([reversed.status, reversed.stderr], [1, 'error: -: must be a list\n'])
  assert.equal((await run('')).stdout, '0 added, 0 listed already\n')
})

test('a file for several calls: progress on stderr, lines of the whole file, and as few calls as go', async (t) => {
  const admin = testAdmin({ accounts })
  const file = join(directory(t), 'large.csv')
  const addresses = Array.from({ length: 4500 }, (_, count) => `u${count}@x.test`)
  writeFileSync(file, addresses.with(4100, 'no').join('\n'))
  const postern = await posternFor(t, admin)
  const { status, stdout, stderr } = await postern('suppress', 'import', file, '--account', 'shop')
  assert.equal(stderr, '2000 of 4500 rows\n4000 of 4500 rows\n4500 of 4500 rows\n')
  assert.match(stdout, /^4499 added, 0 listed already, 1 invalid:\n.*\n4101 {2}no /)
  assert.equal(status, 1)
})

test('rows with long reasons are parted so that no call is larger than a megabyte', async (t) => {
  const admin = testAdmin({ accounts })
  const file = join(directory(t), 'wide.json')
  const Reason = 'ü'.repeat(1000)
  const rows = Array.from({ length: 700 }, (_, count) => ({ Address: `u${count}@x.test`, Reason }))
  writeFileSync(file, JSON.stringify(rows))
  const postern = await posternFor(t, admin)
  const { stdout } = await postern('suppress', 'import', file, '--account', 'shop')
  assert.equal(stdout, '700 added, 0 listed already\n')

  writeFileSync(file, JSON.stringify([{ Address: 'late@x.test' }, { Reason: 'x'.repeat(1_000_000) }]))
  const long = await postern('suppress', 'import', file, '--account', 'shop')
  assert.equal(long.stderr, 'error: line 2: is longer than a call may be\n')
  assert.equal(admin.state.suppressions.length, 700)
})

test('an import that breaks off says how far it came', async (t) => {
  const admin = testAdmin({ accounts })
  const { add } = admin.ports.suppressions
  Object.assign(admin.ports.suppressions, {
    add: async (entry: Parameters<typeof add>[0]) => {
      if (entry.baseAddress === 'u2500@x.test') throw new Error('a fault')
      return await add(entry)
    },
  })
  const file = join(directory(t), 'list')
  writeFileSync(file, Array.from({ length: 3000 }, (_, count) => `u${count}@x.test`).join('\n'))
  const postern = await posternFor(t, admin)
  const { status, stderr } = await postern('suppress', 'import', file, '--account', 'shop')
  const error = 'error: internal error; 2000 of 3000 rows were done: run it again\n'
  assert.deepEqual([status, stderr], [1, `2000 of 3000 rows\n${error}`])
})

test('suppress export writes all pages: CSV and JSON, to standard output and to a file', async (t) => {
  const admin = testAdmin({ accounts })
  const addresses = Array.from({ length: 1500 }, (_, count) => `u${count}@x.test`)
  const rows = addresses.map((Address) => ({ Address }))
  for (const name of ['other', 'shop']) await admin.done('POST', `/suppressions/${name}/import`, rows)
  const postern = await posternFor(t, admin)
  const folder = directory(t)

  const csv = (await postern('suppress', 'export')).stdout
  const lines = csv.split('\r\n')
  assert.equal(lines[0], 'account,baseaddress,originaladdress,manual,reason,created')
  assert.equal(new Set(lines).size, 3000 + 2, 'a heading, each entry once, and the end')

  const file = join(folder, 'all.csv')
  const written = await postern('suppress', 'export', '--output', file)
  assert.deepEqual(written, { status: 0, stdout: `3000 written to ${file}\n`, stderr: '' })
  assert.equal(readFileSync(file, 'utf8'), csv)
  assert.deepEqual(readdirSync(folder), ['all.csv'])

  for (const args of [['--format', 'json'], ['--json']]) {
    const { stdout } = await postern('suppress', 'export', '--account', 'shop', ...args)
    const entries = JSON.parse(stdout) as { BaseAddress: string }[]
    assert.deepEqual(
      entries.map(({ BaseAddress }) => BaseAddress),
      addresses.toSorted(),
    )
  }
  const again = await postern('suppress', 'import', file, '--account', 'shop')
  assert.equal(again.stdout, '0 added, 3000 listed already\n')
})

test('an export of nothing is a heading, or an empty list', async (t) => {
  const postern = await posternFor(t, testAdmin({ accounts }))
  const heading = 'account,baseaddress,originaladdress,manual,reason,created\r\n'
  assert.equal((await postern('suppress', 'export')).stdout, heading)
  assert.equal((await postern('suppress', 'export', '--format', 'json')).stdout, '[]\n')
})

test('an export that fails leaves the file as it was', async (t) => {
  const postern = await posternFor(t, testAdmin({ accounts }))
  const file = join(directory(t), 'kept.csv')
  writeFileSync(file, 'kept')
  const failed = await postern('suppress', 'export', '--account', 'nobody', '--output', file)
  assert.equal(failed.stderr, 'error: account: there is no account "nobody"\n')
  assert.deepEqual(readdirSync(join(file, '..')), ['kept.csv'])
  assert.equal(readFileSync(file, 'utf8'), 'kept')
})

const unusable = [
  { args: ['import', '/nowhere/x.csv'], error: /^error: cannot read \/nowhere\/x\.csv: ENOENT.*\n$/ },
  {
    args: ['export', '--output', '/nowhere/x.csv'],
    error: /^error: cannot write \/nowhere\/x\.csv: ENOENT.*\n$/,
  },
]
for (const { args, error } of unusable) {
  test(`suppress ${args[0]} names a file that it cannot use, in one line`, async (t) => {
    const postern = await posternFor(t, testAdmin({ accounts: { shop: freshAccount } }))
    const { status, stderr } = await postern('suppress', ...args)
    assert.equal(status, 1)
    assert.match(stderr, error)
  })
}

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-suppress-'))
  context.after(() => rmSync(path, { recursive: true }))
  return path
}
