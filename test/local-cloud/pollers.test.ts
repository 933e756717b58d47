import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turns } from 'node:timers/promises'
import { keepPolling } from '../../infra/local/programs/pollers.ts'

/** Pollers whose batches end, and are said to take long, when a test wants it. */
function open(context: { after(end: () => void): void }, count: number, most: number) {
  const ending = new AbortController()
  const waiting: (() => void)[] = []
  const batches: { readonly end: () => void; readonly takesLong: () => void }[] = []
  const turn: Parameters<typeof keepPolling>[0]['turn'] = async (withBatch) => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    if (ending.signal.aborted) return
    await withBatch(async (onLong) => {
      await new Promise<void>((end) => batches.push({ end, takesLong: onLong }))
    })
  }
  keepPolling({ count, most, turn, signal: ending.signal })
  context.after(() => {
    ending.abort()
    for (const resolve of waiting) resolve()
  })
  return {
    /** Pollers that wait for a message. */
    idle: () => waiting.length,
    /** Gives one of them a batch. */
    receive: async () => {
      waiting.shift()?.()
      await turns()
      return batches.at(-1) ?? assert.fail('no poller was there')
    },
  }
}

test('pollers: a batch holds its poller until it is over', async (context) => {
  const pollers = open(context, 2, 9)
  const batch = await pollers.receive()
  assert.equal(pollers.idle(), 1)
  batch.end()
  await turns()
  assert.equal(pollers.idle(), 2)
})

test('pollers: who has a batch that takes long gets a stand-in', async (context) => {
  const pollers = open(context, 2, 9)
  for (let hanging = 0; hanging < 5; hanging++) {
    const batch = await pollers.receive()
    batch.takesLong()
    assert.equal(pollers.idle(), 2)
  }
})

test('pollers: there are never more than the most, and they go on when a batch is over', async (context) => {
  const pollers = open(context, 2, 3)
  const hanging = [await pollers.receive(), await pollers.receive()]
  for (const batch of hanging) batch.takesLong()
  assert.equal(pollers.idle(), 1)
  hanging[0]?.end()
  await turns()
  assert.equal(pollers.idle(), 2)
})

test('pollers: when long batches are over, those too many go', async (context) => {
  const pollers = open(context, 2, 9)
  const hanging = [await pollers.receive(), await pollers.receive(), await pollers.receive()]
  for (const batch of hanging.slice(0, 2)) batch.takesLong()
  hanging[0]?.end()
  hanging[1]?.end()
  hanging[2]?.end()
  await turns()
  assert.ok(pollers.idle() <= 2, `${pollers.idle()} wait`)
})
