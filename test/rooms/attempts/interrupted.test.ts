import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptResult, AttemptRow } from '../../../shared/attempts/attempt-row.ts'
import { isInterruptedTooOften } from '../../../shared/attempts/interrupted.ts'
import type { RowId } from '../../../shared/base/row-id.ts'

const now = 1_000_000

function row(statuses: readonly AttemptResult['status'][], more: Partial<AttemptRow> = {}): AttemptRow {
  return {
    account: 'a',
    id: 1 as RowId,
    state: 'attempting',
    attempts: statuses.length,
    queuedAt: 0,
    nextAt: 0,
    lease: { owner: 'x', endsAt: now - 1 },
    results: statuses.map((status, place) => ({
      attempt: place + 1,
      startedAt: (place + 1) * 1000,
      durationMs: 0,
      status,
      code: 0,
      error: '',
    })),
    ...more,
  }
}

const dead = ['interrupted', 'interrupted', 'interrupted', 'interrupted', 'running'] as const
const cases: readonly [rule: string, row: AttemptRow, isTooOften: boolean][] = [
  ['five workers in a row vanished', row(dead), true],
  ['four did', row(dead.slice(1)), false],
  ['the fifth still works', row(dead, { lease: { owner: 'x', endsAt: now } }), false],
  ['one of the last five told how it ended', row(['interrupted', 'temporary', ...dead.slice(1)]), false],
  ['an earlier one told how it ended', row(['temporary', ...dead]), true],
  ['a release lies between them', row(dead, { releasedAt: 2500 }), false],
  ['five have vanished since the release', row([...dead, ...dead], { releasedAt: 5000 }), true],
]
for (const [rule, given, isTooOften] of cases) {
  test(`a row is ${isTooOften ? '' : 'not '}to be held: ${rule}`, () => {
    assert.equal(isInterruptedTooOften(given, now), isTooOften)
  })
}
