import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { spreadByUrl } from '../../../shared/webhook/spread-by-url.ts'
import { newCall, type WebhookCall } from '../../../shared/webhook/webhook-call.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const now = fakeClock().now()

/** Due calls to a URL, whose last attempt took so long. */
function calls(url: string, count: number, lastMs?: number): readonly WebhookCall[] {
  const results = (lastMs === undefined ? [] : [lastMs]).map((durationMs) => ({
    ...{ attempt: 1, startedAt: now, durationMs, status: 'temporary', code: 0, error: '' },
    ...{ url, response: '' },
  }))
  return Array.from({ length: count }, (_, place) => ({
    ...newCall({
      ...{ account: 'shop', id: rowIdAt(now, place), queuedAt: now, url, authorization: '' },
      ...{ event: 'delivered', body: { json: '{}' }, queueMsgId: 0, fromId: '', messageId: '' },
      ...{ subject: '', extra: {}, keepRetiredMs: 0, supersedes: false },
    }),
    results: results as WebhookCall['results'],
  }))
}

const cases: readonly [rule: string, due: readonly WebhookCall[], now: number][] = [
  ['calls that no one has made yet: 300 a minute', calls('a', 400), 300],
  ['quick ones: at most 500 a minute', calls('a', 800, 2), 500],
  ['those of a URL that hangs: one a minute', calls('a', 100, 60 * SECOND), 1],
  ['slow ones: as many as can be made', calls('a', 100, 3 * SECOND), 20],
  ['few: all of them', calls('a', 3, 60), 3],
]
for (const [rule, due, count] of cases) {
  test(`hints for ${rule}`, () => {
    const spread = spreadByUrl(due, now)
    assert.equal(spread.now.length, count)
    assert.equal(spread.later.length, due.length - count)
    assert.deepEqual(spread.now, due.slice(0, count), 'the longest overdue first')
  })
}

test('a URL that hangs takes nothing from another', () => {
  const spread = spreadByUrl([...calls('hangs', 1000, 60 * SECOND), ...calls('works', 200, 50)], now)
  assert.equal(spread.now.filter(({ url }) => url === 'works').length, 200)
  assert.equal(spread.now.length, 201)
})

test('the others are looked at when their turn comes, within a quarter of an hour', () => {
  const { later } = spreadByUrl(calls('hangs', 40, 20 * SECOND), now)
  const minutes = later.map(({ at }) => (at - now) / MINUTE)
  assert.deepEqual(minutes.slice(0, 7), [1, 1, 1, 2, 2, 2, 3])
  assert.equal(
    Math.max(...spreadByUrl(calls('hangs', 40, 60 * SECOND), now).later.map(({ at }) => at - now)),
    15 * MINUTE,
  )
})
