import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, SECOND } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { replayCall } from '../../../shared/webhook/replay.ts'
import { storedBodyName } from '../../../shared/webhook/stored-body.ts'
import type { WebhookCall } from '../../../shared/webhook/webhook-call.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { webhookCall } from '../admin/webhook-call.ts'

const now = fakeClock().now()
const by = rowIdAt(now, 9)
const retired = { success: false, lastActivityAt: now - SECOND, keepUntil: now + DAY }
const finished = webhookCall({ state: 'done', attempts: 12, queuedAt: now - DAY, retired })

/** Replays a call, and answers what was written. */
async function replayed(row: WebhookCall, isMeant = true): Promise<WebhookCall | undefined> {
  let written: WebhookCall | undefined
  const ports = {
    calls: {
      read: async () => row,
      replay: async (_row: WebhookCall, again: WebhookCall) => {
        written = again
        return again
      },
    },
    webhooks: { send: async () => {}, depth: async () => 0 },
    clock: fakeClock(),
  }
  const result = await replayCall(ports, row, by, () => isMeant)
  assert.equal(result, written ? 'changed' : 'unchanged')
  return written
}

test('a replayed call says the same under an id of its own, at once, and supersedes nothing', async () => {
  const { state, attempts, retired: _end, supersedes, ...said } = finished
  assert.deepEqual(await replayed(finished), {
    ...said,
    id: rowIdAt(now, finished.id),
    state: 'waiting',
    attempts: 0,
    queuedAt: now,
    nextAt: now,
    supersedes: false,
  })
})

const storedFor = (age: number) => ({ stored: storedBodyName('shop', rowIdAt(now - age, 1)) })

for (const { what, row } of [
  { what: 'a call that waits still', row: { state: 'waiting' } as const },
  { what: 'a call that a later one superseded', row: { supersededBy: rowIdAt(now, 3) } },
  { what: 'a test', row: { test: 'outgoing' } as const },
  {
    what: 'a call whose large body is kept for less than two days',
    row: { body: storedFor(28 * DAY + SECOND) },
  },
]) {
  test(`${what} is not replayed`, async () => {
    assert.equal(await replayed({ ...finished, ...row }), undefined)
  })
}

test('a call whose large body is kept for two days is replayed with it', async () => {
  const body = storedFor(28 * DAY)
  assert.deepEqual((await replayed({ ...finished, body }))?.body, body)
})

test('a call that is no longer meant when it is read is not replayed', async () => {
  assert.equal(await replayed(finished, false), undefined)
})
