import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions, type Options } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import type { DelayedHint, HintChannel } from '../../../shared/attempts/hint-channel.ts'
import { sweep } from '../../../shared/attempts/sweep.ts'
import { MINUTE } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { laneHintChannel } from '../../../shared/queue/lane-hint-channel.ts'
import type { QueueStore } from '../../../shared/queue/queue-store.ts'
import type { QueuedMessage } from '../../../shared/queue/queued-message.ts'
import { sweptMessages } from '../../../shared/queue/swept-messages.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { queuedMessage } from '../../support/queued-message.ts'

const options: Options = {
  ...freshOptions,
  transports: { mx: { kind: 'direct' }, ses: { kind: 'ses' } },
  routes: [
    { fromDomains: [], toDomains: ['direct.example'], minimumAttempts: 0, transport: 'mx' },
    { fromDomains: [], toDomains: [], minimumAttempts: 0, transport: 'ses' },
  ],
}

const clock = fakeClock()

function messageTo(domain: string, place: number): QueuedMessage {
  const queuedAt = clock.now() - 2 * MINUTE
  const recipient = parseAddress(`bob@${domain}`)
  return queuedMessage({ id: rowIdAt(queuedAt, place), queuedAt, nextAt: queuedAt, recipient })
}

function channel(depth: number): HintChannel & { readonly sent: DelayedHint[] } {
  const sent: DelayedHint[] = []
  return { sent, send: async (hints) => void sent.push(...hints), depth: async () => depth }
}

const hint = (place: number, lane?: 'function' | 'direct'): DelayedHint => ({
  account: 'shop',
  id: rowIdAt(clock.now(), place),
  attempt: 1,
  ...(lane && { lane }),
})

test('lanes: each hint goes to the queue of its lane, and without one to the functions', async () => {
  const [functions, direct] = [channel(0), channel(0)]
  await laneHintChannel({ function: functions, direct }).send([
    hint(1),
    hint(2, 'direct'),
    hint(3, 'function'),
  ])
  assert.deepEqual([functions.sent, direct.sent], [[hint(1), hint(3, 'function')], [hint(2, 'direct')]])
})

test('lanes: where nothing delivers directly the functions get all hints', async () => {
  const functions = channel(7)
  const all = laneHintChannel({ function: functions })
  await all.send([hint(1), hint(2, 'direct')])
  assert.deepEqual([functions.sent.length, await all.depth()], [2, 7])
})

test('lanes: there is as much room as in the lane with the most', async () => {
  assert.equal(await laneHintChannel({ function: channel(5_000), direct: channel(3) }).depth(), 3)
})

/** What one sweep does with messages by the two routes, one after the other. */
async function swept(functionDepth: number, directDepth: number | undefined, domains: readonly string[]) {
  const rows = domains.map(messageTo)
  const later = new Map<number, number>()
  const unused = () => Promise.reject(new Error('not used'))
  const queue = {
    due: async (_account: string, _now: number, limit: number) => rows.slice(0, limit),
    lookAgain: async (row: QueuedMessage, at: number) => void later.set(rows.indexOf(row), at - clock.now()),
    ...{ setAside: unused, read: unused },
  } as unknown as QueueStore
  const functions = channel(functionDepth)
  const direct = directDepth === undefined ? undefined : channel(directDepth)
  const lanes = { function: functions, ...(direct && { direct }) }
  await sweep(await sweptMessages({ queue, lanes }, options), ['shop'], clock)
  const placesOf = (hints: readonly DelayedHint[] = []) =>
    hints.map(({ id }) => rows.findIndex((row) => row.id === id))
  return { function: placesOf(functions.sent), direct: placesOf(direct?.sent), later: [...later] }
}

const both = ['direct.example', 'other.example', 'direct.example', 'other.example']
const cases = [
  {
    rule: 'each message is hinted in the lane of its transport',
    depths: [0, 0],
    wanted: { function: [1, 3], direct: [0, 2], later: [] },
  },
  {
    rule: 'while the direct queue is full, its messages are looked at a minute later, the others hinted',
    depths: [0, 5_000],
    wanted: {
      function: [1, 3],
      direct: [],
      later: [
        [0, MINUTE],
        [2, MINUTE],
      ],
    },
  },
  {
    rule: 'while the functions’ queue is full, the direct one gets its hints',
    depths: [9_000, 0],
    wanted: {
      function: [],
      direct: [0, 2],
      later: [
        [1, MINUTE],
        [3, MINUTE],
      ],
    },
  },
  {
    rule: 'a queue that is almost full is filled, the oldest first',
    depths: [0, 4_999],
    wanted: { function: [1, 3], direct: [0], later: [[2, MINUTE]] },
  },
  {
    rule: 'none are looked at while both are full',
    depths: [5_000, 5_000],
    wanted: { function: [], direct: [], later: [] },
  },
  {
    rule: 'without a direct queue the functions get all',
    depths: [0, undefined],
    wanted: { function: [0, 1, 2, 3], direct: [], later: [] },
  },
] as const
for (const { rule, depths, wanted } of cases) {
  test(`sweep: ${rule}`, async () => {
    assert.deepEqual(await swept(depths[0], depths[1], both), wanted)
  })
}
