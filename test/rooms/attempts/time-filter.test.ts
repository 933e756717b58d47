import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWithin, parseTime, parseTimeFilter } from '../../../shared/attempts/time-filter.ts'
import { HOUR, MINUTE, SECOND } from '../../../shared/base/clock.ts'

const now = Date.UTC(2026, 5, 1, 12)

const filters = [
  { text: '<now', filter: { side: 'before', at: now } },
  { text: '>now', filter: { side: 'after', at: now } },
  { text: '<-1h', filter: { side: 'before', at: now - HOUR } },
  { text: '>1m', filter: { side: 'after', at: now + MINUTE } },
  { text: ' > 1h30m ', filter: { side: 'after', at: now + 1.5 * HOUR } },
  { text: '<0', filter: { side: 'before', at: now } },
  { text: '>+1.5s', filter: { side: 'after', at: now + 1.5 * SECOND } },
  { text: '<2026-06-01T00:00:00Z', filter: { side: 'before', at: Date.UTC(2026, 5, 1) } },
  {
    text: '>2026-06-01T02:00:00.250+02:00',
    filter: { side: 'after', at: Date.UTC(2026, 5, 1) + 250 },
  },
]
for (const { text, filter } of filters) {
  test(`AT-28: the time filter ${JSON.stringify(text)} is understood`, () => {
    assert.deepEqual(parseTimeFilter(text, now), filter)
  })
}

const malformed = [
  '',
  '<',
  'now',
  '-1h',
  '=1h',
  '<=1h',
  '<1',
  '<1d',
  '<-1h -30m',
  '<yesterday',
  '<2026-06-01',
  '<2026-06-01T00:00:00',
  '<2026-13-01T00:00:00Z',
]
for (const text of malformed) {
  test(`the time filter ${JSON.stringify(text)} is none`, () => {
    assert.equal(parseTimeFilter(text, now), undefined)
  })
}

test('a time filter does not hold at its own instant', () => {
  assert.equal(isWithin({ side: 'before', at: now }, now), false)
  assert.equal(isWithin({ side: 'after', at: now }, now), false)
  assert.equal(isWithin({ side: 'before', at: now }, now - 1), true)
  assert.equal(isWithin({ side: 'after', at: now }, now + 1), true)
})

test('every instant passes where there is no filter', () => {
  assert.equal(isWithin(undefined, 0), true)
})

test('a time is now, a duration from now or RFC 3339', () => {
  assert.equal(parseTime('now', now), now)
  assert.equal(parseTime('-30m', now), now - 30 * MINUTE)
  assert.equal(parseTime('2026-06-01T12:00:00Z', now), now)
  assert.equal(parseTime('tomorrow', now), undefined)
})
