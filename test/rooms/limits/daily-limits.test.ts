import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Account, freshAccount } from '../../../shared/account/options.ts'
import { type Address, formatAddress, parseAddress } from '../../../shared/address/address.ts'
import { HOUR, MINUTE } from '../../../shared/base/clock.ts'
import { dailyLimits, reserveMessages } from '../../../shared/limits/daily-limits.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { testCounters } from './counters.ts'

/** An account with those limits; `reserve` answers the limit that is reached, or how many recipients are new. */
function setUp(limits: Partial<Account>) {
  const clock = fakeClock()
  const counters = testCounters()
  const known = new Set<string>()
  const ports = {
    counters,
    clock,
    knownRecipients: {
      unknown: async (_name: string, recipients: readonly Address[]) => {
        const texts = new Set(recipients.map(formatAddress))
        return [...texts].filter((text) => !known.has(text)).map(parseAddress)
      },
      remember: async (_name: string, recipients: readonly Address[]) => {
        for (const recipient of recipients) known.add(formatAddress(recipient))
      },
    },
  }
  const account = { ...freshAccount, ...limits }
  const reserveFor = async (name: string, ...localparts: (string | number)[]) => {
    const recipients = localparts.map((localpart) => parseAddress(`${localpart}@remote.test`))
    const reserved = await reserveMessages(ports, name, account, recipients)
    if (reserved.kind === 'refused') return reserved.limit
    await ports.knownRecipients.remember(name, reserved.newcomers)
    return reserved.newcomers.length
  }
  const reserve = async (...localparts: (string | number)[]) => await reserveFor('shop', ...localparts)
  return { clock, counters, ports, account, reserve, reserveFor }
}

test('an account without settings may send 1000 messages, to 200 new recipients', () => {
  assert.deepEqual(dailyLimits(freshAccount), { messages: 1000, firstTimeRecipients: 200 })
})

test('each recipient is a message, a repeated one too', async () => {
  const { reserve } = setUp({ maxOutgoingMessagesPerDay: 5 })
  assert.equal(await reserve('a', 'a', 'b'), 2)
  assert.equal(await reserve('a', 'b', 'c'), 'messages')
  assert.equal(await reserve('a', 'b'), 0)
  assert.equal(await reserve('a'), 'messages')
})

test('a recipient is new once, and within one Send too', async () => {
  const { reserve } = setUp({ maxFirstTimeRecipientsPerDay: 2 })
  assert.equal(await reserve('a', 'a'), 1)
  assert.equal(await reserve('b', 'c'), 'firstTimeRecipients')
  assert.equal(await reserve('a', 'b'), 1)
  assert.equal(await reserve('c'), 'firstTimeRecipients')
  assert.equal(await reserve('a', 'b'), 0)
})

test('what is refused, for either limit, does not count', async () => {
  const { reserve } = setUp({ maxOutgoingMessagesPerDay: 3, maxFirstTimeRecipientsPerDay: 1 })
  for (let tries = 0; tries < 5; tries++) {
    assert.equal(await reserve('a', 'b', 'c', 'd'), 'messages')
    assert.equal(await reserve('a', 'b'), 'firstTimeRecipients')
  }
  assert.equal(await reserve('a', 'a', 'a'), 1)
})

test('what is given back does not count', async () => {
  const { ports, account, counters } = setUp({})
  const reserved = await reserveMessages(ports, 'shop', account, [parseAddress('a@remote.test')])
  if (reserved.kind === 'reserved') await reserved.giveBack()
  assert.deepEqual([...counters.counts.values()], [0, 0])
})

test('a message counts for 24 hours at least and for 25 at most', async () => {
  const { reserve, clock } = setUp({ maxOutgoingMessagesPerDay: 1 })
  clock.advance(50 * MINUTE)
  assert.equal(await reserve('a'), 1)
  clock.advance(24 * HOUR)
  assert.equal(await reserve('a'), 'messages')
  clock.advance(10 * MINUTE)
  assert.equal(await reserve('a'), 0)
})

test('Sends at the same time do not exceed the limit together', async () => {
  const { reserve } = setUp({ maxOutgoingMessagesPerDay: 10 })
  const results = await Promise.all(Array.from({ length: 40 }, () => reserve('a')))
  assert.ok(results.filter((result) => result !== 'messages').length <= 10)
})

test('one account’s messages are nothing to another', async () => {
  const { reserveFor } = setUp({ maxOutgoingMessagesPerDay: 1, maxFirstTimeRecipientsPerDay: 1 })
  assert.equal(await reserveFor('shop', 'a'), 1)
  assert.equal(await reserveFor('shop-2', 'b'), 1)
})

test('without limits nothing is read or written', async () => {
  const { reserve, counters } = setUp({ maxOutgoingMessagesPerDay: 0, maxFirstTimeRecipientsPerDay: 0 })
  assert.equal(await reserve(...Array.from({ length: 1000 }, (_, place) => place)), 0)
  assert.deepEqual(counters.operations, [])
})
