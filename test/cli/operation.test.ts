import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../shared/account/options.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { rowIdAt } from '../../shared/base/row-id.ts'
import { atBeginning, type Operation } from '../../shared/operations/operation.ts'
import { testAdmin } from '../support/admin-ports.ts'
import { posternFor } from './admin-server.ts'

const at = Date.UTC(2026, 5, 1)
const id = rowIdAt(at, 1)
const running: Operation = {
  id,
  startedAt: at,
  movedAt: at,
  work: { queue: 'messages', filter: {}, action: { kind: 'release' } },
  isDryRun: false,
  accounts: ['other', 'shop'],
  state: 'running',
  progress: {
    ...atBeginning,
    steps: 5,
    accountsDone: 1,
    read: 600,
    matched: 500,
    changed: 498,
    attempting: 2,
  },
}

function installation() {
  const admin = testAdmin({ accounts: { shop: freshAccount, other: freshAccount } })
  admin.state.operations.set(id, running)
  return admin
}

test('operation show says how far an operation is', async (t) => {
  const postern = await posternFor(t, installation())
  assert.equal(
    (await postern('operation', 'show', String(id))).stdout,
    `Operation:        ${id}
Action:           release messages
State:            running
Outcome:          498 of 500 messages released, 2 were being attempted so far; it goes on: postern operation show ${id}
Started:          2026-06-01T00:00:00.000Z
Last step:        2026-06-01T00:00:00.000Z
Accounts:         1 of 2 done
Looked at:        600
Matched:          500
Changed:          498
Being attempted:  2
Too late:         0
`,
  )
})

test('operation cancel stops it, and says what it has done', async (t) => {
  const admin = installation()
  const postern = await posternFor(t, admin)
  const outcome = `operation ${id} was canceled: 498 of 500 messages released, 2 were being attempted\n`
  assert.equal((await postern('operation', 'cancel', String(id))).stdout, outcome)
  assert.equal(admin.state.operations.get(id)?.state, 'canceled')
  const again = await postern('operation', 'cancel', String(id), '--json')
  assert.equal((JSON.parse(again.stdout) as OperationJson).State, 'canceled')
})

test('operation cancel says that an operation is done already', async (t) => {
  const admin = installation()
  admin.state.operations.set(id, { ...running, state: 'done' })
  const postern = await posternFor(t, admin)
  const { stdout } = await postern('operation', 'cancel', String(id))
  assert.match(stdout, new RegExp(`^operation ${id} is done already: 498 of 500 messages released, `))
})

test('operation list shows the last first, and which were dry runs', async (t) => {
  const admin = installation()
  const later = rowIdAt(at + 1, 0)
  admin.state.operations.set(later, {
    ...running,
    id: later,
    work: { queue: 'webhooks', filter: {}, action: { kind: 'cancel' } },
    isDryRun: true,
    state: 'done',
  })
  const postern = await posternFor(t, admin)
  const { stdout } = await postern('operation', 'list')
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['ID', 'STARTED', 'ACTION', 'STATE', 'MATCHED', 'CHANGED'],
      [String(later), '2026-06-01T00:00:00.000Z', 'cancel webhooks (dry run)', 'done', '500', '498'],
      [String(id), '2026-06-01T00:00:00.000Z', 'release messages', 'running', '500', '498'],
      [''],
    ],
  )
  assert.equal(JSON.parse((await postern('operation', 'list', '--limit', '1', '--json')).stdout).length, 1)
})

for (const { args, error } of [
  { args: ['show', '9'], error: 'there is no operation 9' },
  { args: ['cancel', '9'], error: 'there is no operation 9' },
  { args: ['list', '--limit', '0'], error: 'limit: must be a whole number from 1 to 1000' },
]) {
  test(`postern operation ${args.join(' ')} is refused in one line`, async (t) => {
    const postern = await posternFor(t, installation())
    const outcome = await postern('operation', ...args)
    assert.deepEqual(outcome, { status: 1, stdout: '', stderr: `error: ${error}\n` })
  })
}
