import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import { dynamoCallLists } from '../../shared/adapters/aws/call-lists.ts'
import { dynamoMessageLists } from '../../shared/adapters/aws/message-lists.ts'
import { dynamoOperationStore } from '../../shared/adapters/aws/operation-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { parseAddress } from '../../shared/address/address.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { DAY, HOUR, MINUTE } from '../../shared/base/clock.ts'
import { type RowId, rowIdAt } from '../../shared/base/row-id.ts'
import { atBeginning } from '../../shared/operations/operation.ts'
import { runOperation } from '../../shared/operations/run-operation.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { queuedMessage } from '../support/queued-message.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

const ROWS = 700
const account = 'postern'
const begunAt = Date.now()
const dueAt = begunAt + DAY

let postern: TestPostern
const ends: (() => unknown)[] = []

/** Messages whose time comes tomorrow. They share it, so that whatever moves them has them pass each other. */
const rows: readonly QueuedMessage[] = Array.from({ length: ROWS }, (_, place) => {
  const id = rowIdAt(begunAt, place)
  const recipient = parseAddress(`r${place}@many.test`)
  return queuedMessage({ account, id, base: id, queuedAt: begunAt, nextAt: dueAt, recipient })
})

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
  assert.ok(await storesOf(postern.table).queue.add(rows))
  await eventually('all are listed', async () => {
    const { Matched } = await ended(await begin({ Action: 'hold', DryRun: true }))
    return Matched === ROWS
  })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

async function begin(more: object): Promise<OperationJson> {
  return await postern.admin.post('/queue/actions', { Filter: { To: '@many.test' }, ...more })
}

/** Lets the sweep go on with an operation that its call has left, until it ends. */
async function ended({ ID }: OperationJson): Promise<OperationJson> {
  return await eventually(
    `operation ${ID} ends`,
    async () => {
      const operation = await postern.admin.get<OperationJson>(`/operations/${ID}`)
      if (operation.State !== 'running') return operation
      // The sweep leaves alone what moved within the last minute, and runs once a minute.
      await postern.local.cloud.clock.advance(61_000)
    },
    60_000,
  )
}

async function readRows(): Promise<readonly QueuedMessage[]> {
  return await dynamoMessageLists(postern.table, postern.local.cloud.clock).readMany(rows)
}

async function counts({ ID }: OperationJson): Promise<readonly (number | string)[]> {
  const { State, Matched, Changed } = await postern.admin.get<OperationJson>(`/operations/${ID}`)
  return [State, Matched, Changed]
}

test('a dry run on 700 rows counts all of them and changes none', async () => {
  const begun = await begin({ Action: 'drop', DryRun: true })
  assert.ok(begun.Read <= 500, 'the call does no more than 500 itself')
  const { Matched, Changed, DryRun, State } = await ended(begun)
  assert.deepEqual(
    { Matched, Changed, DryRun, State },
    { Matched: ROWS, Changed: 0, DryRun: true, State: 'done' },
  )
  assert.ok((await readRows()).every((row) => row.state === 'waiting' && row.nextAt === dueAt))
})

test('an act on 700 rows is begun by the call and ended by the sweep; rows that it moves ahead count once', async () => {
  const begun = await begin({ Action: 'postpone', By: '1h' })
  assert.deepEqual([begun.State, begun.Read <= 500], ['running', true])
  const { Matched, Changed, AccountsDone, Accounts } = await ended(begun)
  assert.deepEqual([Matched, Changed, AccountsDone], [ROWS, ROWS, Accounts])
  assert.ok((await readRows()).every(({ nextAt }) => nextAt === dueAt + HOUR))
})

test('the same operation repeated, as by a runner that died before it wrote down its steps, changes nothing more', async () => {
  const { clock } = postern.local.cloud
  const { table } = postern
  const operations = dynamoOperationStore(table, clock)
  const last = await ended(await begin({ Action: 'postpone', By: '-1h' }))
  const done = (await operations.read(last.ID as RowId)) ?? assert.fail('no operation')
  const stores = storesOf(table, clock)
  const lossy = { send: async () => {}, depth: async () => 0 }
  const ports = {
    ...stores,
    options: dynamoOptionsStore(table, clock),
    deliveries: lossy,
    webhooks: lossy,
    messageLists: dynamoMessageLists(table, clock),
    callLists: dynamoCallLists(table, clock),
    operations: { ...operations, advance: async () => true, read: async () => undefined },
    clock,
  }
  const again = { ...done, state: 'running', progress: atBeginning } as const
  const { state, progress } = await runOperation(ports, again, {
    rows: 10_000,
    until: Number.POSITIVE_INFINITY,
  })
  assert.deepEqual([state, progress.changed], ['done', 0])
  assert.ok((await readRows()).every(({ nextAt }) => nextAt === dueAt))
})

test('an operation that is canceled stops, and what it has done stays done', async () => {
  const begun = await begin({ Action: 'requiretls', RequireTLS: false })
  assert.equal(begun.State, 'running')
  const canceled = await postern.admin.remove<OperationJson>(`/operations/${begun.ID}`)
  assert.equal(canceled.State, 'canceled')
  await postern.local.cloud.clock.advance(2 * MINUTE)
  await postern.local.cloud.invoke('WorkersSweepFunction', {})
  assert.deepEqual(await counts(begun), ['canceled', canceled.Matched, canceled.Changed])
  const changed = (await readRows()).filter(({ requireTls }) => requireTls === false)
  assert.equal(changed.length, canceled.Changed)
  assert.ok(changed.length > 0 && changed.length < ROWS)
})

test('what is so already needs no change: a second hold matches all and changes none', async () => {
  assert.equal((await ended(await begin({ Action: 'hold' }))).Changed, ROWS)
  assert.ok((await readRows()).every(({ hold }) => hold?.reason === 'by an operator'))
  const { Matched, Changed } = await ended(await begin({ Action: 'hold' }))
  assert.deepEqual([Matched, Changed], [ROWS, 0])
})

test('rows that were queued after an operation began are not meant', async () => {
  const begun = await begin({ Action: 'requiretls', RequireTLS: true })
  const id = rowIdAt(begunAt, ROWS)
  const recipient = parseAddress('later@many.test')
  const queuedAt = postern.local.cloud.clock.now()
  const late = queuedMessage({ account, id, base: id, queuedAt, nextAt: queuedAt + 2 * DAY, recipient })
  assert.ok(await storesOf(postern.table).queue.add([late]))
  assert.equal((await ended(begun)).Matched, ROWS)
  assert.equal((await storesOf(postern.table).queue.read(account, id))?.requireTls, undefined)
})
