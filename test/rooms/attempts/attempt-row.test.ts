import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AttemptResult,
  type AttemptRow,
  countedAttempts,
  isClaimable,
} from '../../../shared/attempts/attempt-row.ts'
import type { RowId } from '../../../shared/base/row-id.ts'

const now = 1_000_000
const waiting: AttemptRow = {
  account: 'a',
  id: 1 as RowId,
  state: 'waiting',
  attempts: 2,
  queuedAt: 0,
  nextAt: now,
  results: [],
}
const attempting: AttemptRow = { ...waiting, state: 'attempting', lease: { owner: 'x', endsAt: now - 1 } }

const cases: readonly [rule: string, row: AttemptRow, attempt: number, claimable: boolean][] = [
  ['a waiting row whose time has come', waiting, 3, true],
  ['a row before its time', { ...waiting, nextAt: now + 1 }, 3, false],
  ['an attempt that was made already (a doubled hint)', waiting, 2, false],
  ['an attempt after the next (a wrong hint)', waiting, 4, false],
  ['a row whose worker vanished, once its lease is over', attempting, 3, true],
  ['a row that a worker holds', { ...attempting, lease: { owner: 'x', endsAt: now } }, 3, false],
  ['a finished row', { ...waiting, state: 'done' }, 3, false],
]
for (const [rule, row, attempt, claimable] of cases) {
  test(`${claimable ? 'may be' : 'may not be'} claimed: ${rule}`, () => {
    assert.equal(isClaimable(row, attempt, now), claimable)
  })
}

test('an interrupted attempt does not count towards the last', () => {
  const result = (attempt: number, status: AttemptResult['status']): AttemptResult => ({
    attempt,
    status,
    startedAt: 0,
    durationMs: 0,
    code: 0,
    error: '',
  })
  const results = [result(1, 'temporary'), result(2, 'interrupted'), result(3, 'running')]
  assert.equal(countedAttempts({ ...waiting, attempts: 3, results }), 2)
})
