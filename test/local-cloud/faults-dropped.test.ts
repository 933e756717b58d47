import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openFaults } from '../../infra/local/gateway/faults.ts'
import { droppedWrites } from '../../infra/local/gateway/faults-dropped.ts'

const surroundings = {
  operatorAccessKeyId: 'ROOT',
  roleOf: (accessKeyId: string) => ({ ONE: 'WorkersDeliverRole', TWO: 'WorkersSweepRole' })[accessKeyId],
  now: () => 0,
  onLog: () => {},
}
const call = (accessKeyId: string, operation: string) => ({
  ...{ accessKeyId, operation, service: 'dynamodb', method: 'POST', url: '/', input: {} },
})

test('dropped writes: a transaction of that role is acknowledged, and nobody is asked to do it', async () => {
  const asked: string[] = []
  const ask = async (operation: string) => {
    asked.push(operation)
    return { status: 200, body: {} }
  }
  const faults = openFaults({ seed: 1, droppedWrites: 1, droppedWritesOf: 'WorkersDeliver' }, surroundings)
  assert.deepEqual(await faults.around(call('ONE', 'TransactWriteItems'), ask), { status: 200, body: {} })
  assert.deepEqual(asked, [])
  for (const other of [call('ONE', 'UpdateItem'), call('TWO', 'TransactWriteItems')]) {
    await faults.around(other, ask)
  }
  assert.deepEqual(asked, ['UpdateItem', 'TransactWriteItems'])
})

test('dropped writes: the same seed drops the same ones, about that share', () => {
  const drops = (seed: number) => {
    const isDropped = droppedWrites({ seed, droppedWrites: 0.3 })
    return Array.from({ length: 400 }, () => isDropped(call('ONE', 'TransactWriteItems')))
  }
  assert.deepEqual(drops(1), drops(1))
  assert.notDeepEqual(drops(1), drops(2))
  const share = drops(1).filter(Boolean).length / 400
  assert.ok(share > 0.2 && share < 0.4, String(share))
})

test('dropped writes: a share above 1 is refused by name', () => {
  assert.throws(
    () => openFaults({ seed: 1, droppedWrites: 2 }, surroundings),
    /droppedWrites must be from 0 to 1/,
  )
})
