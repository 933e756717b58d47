import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { DAY } from '../../../shared/base/clock.ts'
import { accumulateTlsResults } from '../../../shared/tls-results/accumulate.ts'
import type { DayResults } from '../../../shared/tls-results/day-results.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { tlsFailure, tlsResult } from '../../support/tls-result.ts'

/** Results that are collected, and a test that lets ten seconds pass. */
function world() {
  const clock = fakeClock()
  const waits: { readonly milliseconds: number; readonly end: () => void }[] = []
  const written: { readonly row: DayResults; readonly id: string }[] = []
  const logged: string[] = []
  const state = { fails: false }
  const results = accumulateTlsResults({
    store: {
      add: async (row, id) => {
        written.push({ row, id })
        if (state.fails) throw new Error('throttled')
      },
    },
    clock,
    random: seededRandom(),
    wait: (milliseconds) => new Promise((end) => void waits.push({ milliseconds, end: () => end() })),
    log: {
      info: () => {},
      warn: (event) => void logged.push(event),
      error: (event) => void logged.push(event),
    },
  })
  const pass = async () => {
    waits.pop()?.end()
    await turn()
  }
  return { clock, waits, written, logged, state, results, pass }
}

test('results of ten seconds are one write for each row', async () => {
  const { results, waits, written, pass } = world()
  for (let count = 0; count < 20; count++) await results.note([tlsResult({ failures: [tlsFailure()] })])
  await results.note([tlsResult({ recipientDomain: 'y.example', policyDomain: 'y.example' })])
  assert.deepEqual([waits.map(({ milliseconds }) => milliseconds), written], [[10_000], []])
  await pass()
  assert.deepEqual(
    written.map(({ row }) => [
      row.recipientDomain,
      row.policies[0]?.success,
      row.policies[0]?.failures[0]?.count,
    ]),
    [
      ['x.example', 20, 20],
      ['y.example', 1, undefined],
    ],
  )
  assert.equal(waits.length, 0)
})

test('what comes later is written ten seconds later', async () => {
  const { results, waits, written, pass } = world()
  await results.note([tlsResult()])
  await pass()
  await results.note([tlsResult({ success: 2 })])
  assert.equal(waits.length, 1)
  await pass()
  assert.deepEqual(
    written.map(({ row }) => row.policies[0]?.success),
    [1, 2],
  )
  assert.notEqual(written[0]?.id, written[1]?.id)
})

test('results belong to the day on which they were noted', async () => {
  const { results, clock, written, pass } = world()
  await results.note([tlsResult()])
  clock.advance(DAY)
  await results.note([tlsResult()])
  await pass()
  assert.deepEqual(
    written.map(({ row }) => row.day),
    ['20260601', '20260602'],
  )
})

test('the end of the process writes at once', async () => {
  const { results, written } = world()
  await results.note([tlsResult()])
  await results.flush()
  assert.equal(written.length, 1)
})

test('what could not be written is written later under the same id, apart from what came meanwhile', async () => {
  const { results, state, written, logged, pass } = world()
  state.fails = true
  await results.note([tlsResult()])
  await pass()
  assert.deepEqual(logged, ['TLS results not written'])
  state.fails = false
  await results.note([tlsResult({ success: 5 })])
  await pass()
  const [first, again, other] = written
  assert.deepEqual(again, first)
  assert.equal(other?.row.policies[0]?.success, 5)
  assert.equal(written.length, 3)
})

test('memory is bounded while nothing can be written', async () => {
  const { results, logged, written } = world()
  for (let number = 0; number < 5_001; number++) {
    await results.note([tlsResult({ recipientDomain: `d${number}.example` })])
  }
  assert.deepEqual(logged, ['TLS result not counted: too many cannot be written'])
  await results.flush()
  assert.equal(written.length, 5_000)
})
