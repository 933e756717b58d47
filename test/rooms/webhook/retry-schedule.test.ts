import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../../../shared/base/clock.ts'
import { nextCallAt } from '../../../shared/webhook/retry-schedule.ts'

const without = { bytes: () => new Uint8Array(), fraction: () => 0.5 }

test('a call is tried twelve times, over 31 h 59.5 min', () => {
  let at = 0
  const offsets = [0]
  for (let counted = 1; ; counted++) {
    const next = nextCallAt(counted, at, without)
    if (next === undefined) break
    offsets.push(next / MINUTE)
    at = next
  }
  assert.deepEqual(offsets, [0, 1, 3, 7, 14.5, 29.5, 59.5, 119.5, 239.5, 479.5, 959.5, 1919.5])
})

test('the jitter is at most one hundredth, either way', () => {
  assert.equal(nextCallAt(1, 0, { ...without, fraction: () => 0 }), 59_400)
  assert.equal(nextCallAt(1, 0, { ...without, fraction: () => 0.999999 }), 60_600)
})
