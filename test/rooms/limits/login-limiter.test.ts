import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, HOUR, MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { type Admission, loginLimiter } from '../../../shared/limits/login-limiter.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { testCounters } from './counters.ts'

const ip = '192.0.2.77'

/** A limiter over counters of its own; `fail` fails to log in until it is refused, `most` times at most. */
function setUp() {
  const clock = fakeClock()
  const counters = testCounters()
  const limiter = loginLimiter({ counters, clock })
  const admit = async (from = ip): Promise<Admission> => {
    const admission = await limiter.admit(from)
    assert.ok(admission)
    return admission
  }
  const fail = async (most: number, from: string | ((place: number) => string) = ip): Promise<number> => {
    for (let failures = 0; failures < most; failures++) {
      const admission = await admit(typeof from === 'string' ? from : from(failures))
      if (admission.kind === 'refused') return failures
      await admission.failed()
    }
    return most
  }
  return { clock, counters, limiter, admit, fail }
}

const widths: readonly (readonly [network: string, from: (place: number) => string, most: number])[] = [
  ['IPv4 address', () => ip, 10],
  ['IPv4 /26', (place) => `192.0.2.${place % 64}`, 30],
  ['IPv4 /21', (place) => `192.0.${place % 8}.${place % 256}`, 90],
  ['IPv6 /64', (place) => `2001:db8::${place}`, 10],
  ['IPv6 /48', (place) => `2001:db8:1:${place}::1`, 30],
  ['IPv6 /32', (place) => `2001:db8:${place}::1`, 90],
]
for (const [network, from, most] of widths) {
  test(`one ${network} may fail ${most} times a minute`, async () => {
    const { fail, clock } = setUp()
    assert.equal(await fail(200, from), most)
    clock.advance(MINUTE)
    assert.equal(await fail(200, from), most)
  })

  test(`one ${network} may fail ${most * 5} times a day`, async () => {
    const { fail, clock } = setUp()
    let failures = 0
    for (let minute = 0; minute < 10; minute++) {
      failures += await fail(200, from)
      clock.advance(MINUTE)
    }
    assert.equal(failures, most * 5)
    clock.advance(DAY)
    assert.equal(await fail(1, from), 1)
  })
}

test('a refusal says when the window ends that is full', async () => {
  const { fail, admit, clock } = setUp()
  clock.advance(20 * SECOND)
  await fail(10)
  assert.deepEqual(await admit(), { kind: 'refused', retryAfterSeconds: 40 })
  for (let minute = 0; minute < 5; minute++) {
    clock.advance(MINUTE)
    await fail(10)
  }
  assert.deepEqual(await admit(), {
    kind: 'refused',
    retryAfterSeconds: (24 * HOUR - 5 * MINUTE) / SECOND - 20,
  })
})

test('a login takes the client’s own failures away, everywhere', async () => {
  const { fail, admit, counters } = setUp()
  await fail(3, '192.0.2.70')
  await fail(9)
  const admission = await admit()
  assert.equal(admission.kind, 'admitted')
  if (admission.kind === 'admitted') await admission.succeeded()
  assert.deepEqual([...counters.counts.values()].sort(), [0, 0, 3, 3, 3, 3, 3, 3])
})

test('two logins at the same time take them away once', async () => {
  const { fail, admit, counters } = setUp()
  await fail(2, '192.0.2.70')
  await fail(4)
  const both = [await admit(), await admit()]
  for (const admission of both) if (admission.kind === 'admitted') await admission.succeeded()
  assert.deepEqual([...counters.counts.values()].sort(), [0, 0, 2, 2, 2, 2, 2, 2])
})

test('where nobody fails, logins cost one read in ten seconds and no write', async () => {
  const { admit, counters, clock } = setUp()
  for (let second = 0; second < 20; second++) {
    const admission = await admit()
    if (admission.kind === 'admitted') await admission.succeeded()
    clock.advance(SECOND)
  }
  assert.deepEqual(counters.operations, ['read 1', 'read 1'])
})

test('a failure counts at once, although the network was believed clean', async () => {
  const { admit, fail } = setUp()
  await admit()
  await fail(10)
  assert.equal((await admit()).kind, 'refused')
})

test('what is no IP address is not admitted', async () => {
  assert.equal(await setUp().limiter.admit('nowhere'), undefined)
})
