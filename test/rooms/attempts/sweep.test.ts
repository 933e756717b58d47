import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hint } from '../../../shared/attempts/hint-channel.ts'
import { type SweptKind, sweep } from '../../../shared/attempts/sweep.ts'
import { MINUTE } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { attemptHint, type QueuedMessage } from '../../../shared/queue/queued-message.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { queuedMessage } from '../../support/queued-message.ts'

const clock = fakeClock()
const unused = () => Promise.reject(new Error('not used'))

/** What a sweep hints of rows that were queued so long ago, while so many hints wait. */
async function hintedOf(agesMs: readonly number[], depth: number, longestWaitMs?: number) {
  const rows = agesMs.map((ageMs, place): QueuedMessage => {
    const queuedAt = clock.now() - ageMs
    return queuedMessage({ id: rowIdAt(queuedAt, place), queuedAt, nextAt: queuedAt })
  })
  const hinted: Hint[] = []
  const kind: SweptKind<QueuedMessage, QueuedMessage['results'][number]> = {
    store: {
      due: async (_account, _now, limit) => rows.slice(0, limit),
      ...{ read: unused, claim: unused, edit: unused, lookAgain: unused, setAside: unused },
    },
    channel: { send: async (hints) => void hinted.push(...hints), depth: async () => depth },
    hint: attemptHint,
    ...(longestWaitMs !== undefined && { longestWaitMs }),
  }
  await sweep(kind, ['shop'], clock)
  return hinted.map(({ id }) => rows.findIndex((row) => row.id === id))
}

const LONGEST = 5 * MINUTE
const ages = [6 * MINUTE, 2 * MINUTE, MINUTE]

const cases: readonly [rule: string, depth: number, longestWaitMs: number | undefined, hinted: number[]][] = [
  ['rows whose first hint must be lost are hinted, in order', 0, undefined, [0, 1]],
  ['none are, while thousands of hints wait', 5_000, undefined, []],
  ['where old hints are dropped: the same, while few wait', 0, LONGEST, [0, 1]],
  ['where old hints are dropped: thousands may wait, for one receiver', 20_000, LONGEST, [0]],
]
for (const [rule, depth, longestWaitMs, hinted] of cases) {
  test(`sweep: ${rule}`, async () => {
    assert.deepEqual(await hintedOf(ages, depth, longestWaitMs), hinted)
  })
}
