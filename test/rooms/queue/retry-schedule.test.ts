import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { MAX_ATTEMPTS, nextAttemptAt } from '../../../shared/queue/retry-schedule.ts'

const without = { bytes: () => new Uint8Array(), fraction: () => 0.5 }

test('eight attempts: 7.5 minutes, doubling, the last after 15 h 52.5 min', () => {
  const offsets = [0]
  for (let counted = 1; counted < MAX_ATTEMPTS; counted++) {
    offsets.push(nextAttemptAt(counted, offsets.at(-1) ?? 0, without))
  }
  assert.deepEqual(
    offsets.map((offset) => offset / MINUTE),
    [0, 7.5, 22.5, 52.5, 112.5, 232.5, 472.5, 952.5],
  )
})

test('the base delay is 450 s, from 5 s less to 4 s more', () => {
  assert.equal(nextAttemptAt(1, 0, { ...without, fraction: () => 0 }), 445 * SECOND)
  assert.equal(nextAttemptAt(1, 0, { ...without, fraction: () => 0.999 }), 454 * SECOND)
})
