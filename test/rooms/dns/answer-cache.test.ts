import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, HOUR, SECOND } from '../../../shared/base/clock.ts'
import { AnswerCache } from '../../../shared/dns/answer-cache.ts'
import type { DnsAnswer } from '../../../shared/dns/resolver.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const found: DnsAnswer<unknown> = { kind: 'found', values: ['x'], canonicalName: 'a', authentic: true }
const noName: DnsAnswer<unknown> = { kind: 'no-name', authentic: true }
const lives = [
  ['an answer lives for its TTL', found, 60, 60 * SECOND],
  ['an answer lives for a day at most', found, 1_000_000, DAY],
  ['RFC 2308 §5: a negative answer lives for its TTL', noName, 60, 60 * SECOND],
  ['RFC 2308 §5: a negative answer lives for an hour at most', { ...noName, kind: 'no-data' }, 86_400, HOUR],
] as const

for (const [rule, answer, ttlSeconds, forMs] of lives) {
  test(rule, () => {
    const clock = fakeClock()
    const cache = new AnswerCache(clock, 10)
    cache.set('A a', { answer, ttlSeconds })
    clock.advance(forMs - 1)
    assert.equal(cache.get('A a'), answer)
    clock.advance(1)
    assert.equal(cache.get('A a'), undefined)
  })
}

test('failures and answers without TTL are not remembered', () => {
  const cache = new AnswerCache(fakeClock(), 10)
  cache.set('A a', { answer: { kind: 'failed', error: 'x' }, ttlSeconds: 60 })
  cache.set('A b', { answer: found, ttlSeconds: 0 })
  assert.deepEqual([cache.get('A a'), cache.get('A b')], [undefined, undefined])
})

test('the oldest answer goes when there are too many', () => {
  const cache = new AnswerCache(fakeClock(), 2)
  for (const name of ['a', 'b', 'a', 'c']) cache.set(`A ${name}`, { answer: found, ttlSeconds: 60 })
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => cache.get(`A ${name}`)),
    [found, undefined, found],
  )
})
