import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TurnTimetable } from '../../../shared/direct/turn-timetable.ts'

const FROM = 1_000_000
const LATEST = FROM + 60_000

/** The next times, in milliseconds from {@link FROM}. */
function give(timetable: TurnTimetable, count: number, apartMs: number): (number | undefined)[] {
  return Array.from({ length: count }, () => {
    const at = timetable.give(FROM, LATEST, apartMs)
    return at && at - FROM
  })
}

test('times are as far apart as turns, several in a second or one in several', () => {
  assert.deepEqual(give(new TurnTimetable(), 4, 400), [0, 400, 800, 1200])
  assert.deepEqual(give(new TurnTimetable(), 4, 2500), [0, 2500, 5000, 7500])
})

test('once turns come faster, gaps are filled first, and what was given out before counts', () => {
  const timetable = new TurnTimetable()
  assert.deepEqual(give(timetable, 3, 2000), [0, 2000, 4000])
  assert.deepEqual(give(timetable, 8, 500), [500, 1000, 1500, 2500, 3000, 3500, 4500, 5000])
})

test('once turns come slower, all that was given out goes before', () => {
  const timetable = new TurnTimetable()
  give(timetable, 10, 100)
  assert.deepEqual(give(timetable, 2, 1000), [10_000, 11_000])
})

test('there are no times after the latest', () => {
  assert.deepEqual(give(new TurnTimetable(), 4, 30_000), [0, 30_000, 60_000, undefined])
})

test('what was given out before the first time that is asked for does not count', () => {
  const timetable = new TurnTimetable()
  give(timetable, 10, 100)
  assert.equal(timetable.give(FROM + 5_000, LATEST, 1000), FROM + 5_000)
})
