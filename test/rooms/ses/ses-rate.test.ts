import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE, SECOND } from '../../../shared/base/clock.ts'
import type { SesQuota } from '../../../shared/ses/ses-client.ts'
import { sesPacing } from '../../../shared/ses/ses-pacing.ts'
import { type SesRateState, sesRate } from '../../../shared/ses/ses-rate.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const QUOTA: SesQuota = { maySend: true, maxSendRate: 20, max24HourSend: 50_000, sentLast24Hours: 0 }
/** 20 a second at 97.5 %, in whole microseconds. */
const EVERY = 51.283

/** A rate whose store lies in the test, with what was asked of both. */
function arrange(quota: SesQuota | Error = QUOTA, known: Partial<SesRateState> = {}) {
  const clock = fakeClock()
  let state: SesRateState = { turnAt: 0, returnAt: 0, ...known }
  const asked = { quota: 0, writes: 0 }
  const rate = sesRate({
    store: {
      read: async () => state,
      advance: async (which, from, byMs) => {
        asked.writes++
        state = { ...state, [which]: Math.max(state[which], from) + byMs }
        return state[which]
      },
      pause: async (until) => {
        state = { ...state, turnAt: Math.max(state.turnAt, until) }
      },
      keepQuota: async (kept, readAt) => {
        state = { ...state, quota: { ...kept, readAt } }
      },
    },
    client: {
      quota: async () => {
        asked.quota++
        if (quota instanceof Error) throw quota
        return quota
      },
    },
    clock,
    random: seededRandom(),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    wait: async (milliseconds) => clock.advance(milliseconds),
  })
  const begunAt = clock.now()
  return { rate, clock, asked, begunAt, pacing: sesPacing({ rate, clock }), state: () => state }
}

const ses = { kind: 'ses' } as const

test('the rate of SES: turns follow one another at 97.5 % of what is granted', async () => {
  const { rate } = arrange()
  const turns = await Promise.all(Array.from({ length: 8 }, () => rate.takeTurn()))
  const distances = turns
    .slice(1)
    .map((turn, place) => Math.round((turn - (turns[place] ?? 0)) * 1000) / 1000)
  assert.deepEqual(
    distances,
    turns.slice(1).map(() => EVERY),
  )
})

test('the rate of SES: turns that are wanted side by side are few writes, and few are taken ahead', async () => {
  const { rate, asked } = arrange()
  await Promise.all(Array.from({ length: 8 }, () => rate.takeTurn()))
  assert.equal(asked.writes, 4)
})

test('the rate of SES: a pause of one is a pause of all', async () => {
  const { rate, begunAt } = arrange()
  await rate.pause(begunAt + 5 * SECOND)
  assert.equal(await rate.takeTurn(), begunAt + 5 * SECOND)
})

test('the rate of SES: what it grants is asked once in five minutes, and told to the others', async () => {
  const { rate, clock, asked, state } = arrange()
  await Promise.all([rate.takeTurn(), rate.prospect()])
  clock.advance(4 * MINUTE)
  await rate.takeTurn()
  assert.equal(asked.quota, 1)
  assert.equal(state().quota?.maxSendRate, 20)
  clock.advance(3 * MINUTE)
  await rate.takeTurn()
  assert.equal(asked.quota, 2)
})

test('the rate of SES: where it does not say, what it said before counts', async () => {
  const { rate, asked } = arrange(new Error('TooManyRequestsException'), { quota: { ...QUOTA, readAt: 0 } })
  assert.equal((await rate.prospect()).kind, 'turn')
  await rate.takeTurn()
  assert.equal(asked.quota, 1)
})

test('the rate of SES: a turn that cannot be taken is an error of those who wanted it only', async () => {
  const { rate } = arrange(new Error('TooManyRequestsException'))
  await assert.rejects(rate.takeTurn(), /TooManyRequests/)
  await assert.rejects(rate.takeTurn(), /TooManyRequests/)
})

const admissions: readonly (readonly [rule: string, aheadMs: number, later: number | undefined])[] = [
  ['a turn that is now is taken', -1000, undefined],
  ['a turn within two seconds is waited for', 1_900, undefined],
  ['for a later one the message comes back then', 10_000, 10_000],
]

for (const [rule, aheadMs, later] of admissions) {
  test(`pacing of SES: ${rule}`, async () => {
    const { pacing, clock, begunAt } = arrange(QUOTA, { turnAt: fakeClock().now() + aheadMs })
    const admission = await pacing.admit(ses, [queuedMessage()])
    assert.equal(admission.kind === 'later' ? admission.at - begunAt : undefined, later)
    assert.equal(clock.now(), begunAt)
  })
}

test('pacing of SES: those who come back do so one after the other', async () => {
  const { pacing, begunAt } = arrange(QUOTA, { turnAt: fakeClock().now() + 10_000 })
  const times = await Promise.all([1, 2, 3].map(() => pacing.admit(ses, [queuedMessage()])))
  const after = times.map((admission) =>
    admission.kind === 'later' ? Math.round(admission.at - begunAt) : 0,
  )
  assert.deepEqual(after, [10_000, 10_047, 10_093])
})

test('pacing of SES: what is under way counts, until it has ended', async () => {
  const { pacing } = arrange()
  const many = Array.from({ length: 40 }, () => queuedMessage())
  const first = await pacing.admit(ses, many)
  assert.equal((await pacing.admit(ses, many)).kind, 'later')
  if (first.kind === 'go') first.ended([])
  assert.equal((await pacing.admit(ses, many)).kind, 'go')
})

const stops: readonly (readonly [rule: string, quota: Partial<SesQuota>, kind: 'go' | 'later'])[] = [
  ['a paused account is a delay', { maySend: false }, 'later'],
  ['so is a quota that is used up', { sentLast24Hours: 50_000 }, 'later'],
  ['so is a rate of nothing', { maxSendRate: 0 }, 'later'],
  ['-1 is a quota without limit', { max24HourSend: -1 }, 'go'],
]

for (const [rule, quota, kind] of stops) {
  test(`pacing of SES: ${rule}`, async () => {
    const { pacing, begunAt } = arrange({ ...QUOTA, ...quota })
    const admission = await pacing.admit(ses, [queuedMessage()])
    assert.equal(admission.kind, kind)
    if (admission.kind === 'later') assert.equal(admission.at, begunAt + 5 * MINUTE)
  })
}

test('pacing of SES: other transports are not its business', async () => {
  const { pacing, asked } = arrange(new Error('no SES'))
  assert.equal((await pacing.admit({ kind: 'direct' }, [queuedMessage()])).kind, 'go')
  assert.equal(asked.quota, 0)
})
