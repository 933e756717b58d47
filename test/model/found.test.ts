import { after, before, test } from 'node:test'
import type { Move } from './moves.ts'
import { type ModelTable, openModelTable, playRun } from './property.ts'

// The shortest runs in which the product once differed from the model.

let table: ModelTable
before(async () => {
  table = await openModelTable()
})
after(() => table.close())

const HOUR = 3_600_000

function send(...recipients: readonly string[]): Move {
  return { kind: 'send', recipients, hasFromId: false, releaseInMs: 0, gates: 'all' }
}
const fourFailures = { kind: 'insist', pick: 0, times: 4, answer: 'later', gates: 'all' } as const
const itsTime = { kind: 'wait for', pick: 0 } as const
const nextAttempt = {
  kind: 'follow',
  hint: 'made',
  pick: 0,
  off: 0,
  answers: ['later'],
  gates: 'all',
} as const
const postponed = { kind: 'act', pick: 0, action: { kind: 'postpone', byMs: HOUR }, gates: 'all' } as const
const died = { kind: 'die', pick: 0, rowsWritten: 0 } as const

const found: readonly { readonly rule: string; readonly moves: readonly Move[] }[] = [
  {
    rule: 'an operation that is repeated after another one changes nothing more',
    moves: [
      send('ann@one.test'),
      { kind: 'act', pick: 0, action: { kind: 'hold' }, gates: 'all' },
      { kind: 'act', pick: 0, action: { kind: 'release' }, gates: 'all' },
      { kind: 'repeat', pick: 1, gates: 'all' },
    ],
  },
  {
    rule: 'two operators who postpone a message at once postpone it twice',
    moves: [
      send('ann@one.test'),
      { ...postponed, gates: 0 },
      postponed,
      { kind: 'go on', pick: 0, answers: [], gates: 'all' },
    ],
  },
  {
    rule: 'a late result does not count, so that the sender hears of the delay after the fifth failure that does',
    moves: [
      send('ann@one.test'),
      { ...fourFailures, times: 3 },
      itsTime,
      { ...nextAttempt, gates: 2 },
      itsTime,
      { ...nextAttempt, gates: 2 },
      { kind: 'go on', pick: 1, answers: [], gates: 'all' },
      { kind: 'go on', pick: 0, answers: [], gates: 'all' },
      itsTime,
      nextAttempt,
    ],
  },
  {
    rule: 'the sweep finds a notice that is owed although the message was postponed',
    moves: [send('ann@one.test'), fourFailures, itsTime, { ...nextAttempt, gates: 3 }, died, postponed],
  },
  {
    rule: 'the sweep finds a notice that is owed although another attempt has failed since',
    moves: [
      send('ann@one.test', 'bob@one.test'),
      fourFailures,
      itsTime,
      { ...nextAttempt, gates: 5 },
      died,
      itsTime,
      { ...nextAttempt, gates: 6 },
      died,
    ],
  },
  {
    rule: 'a notice of delay that is owed by a message that has been delivered since is nobody’s work',
    moves: [
      send('ann@one.test', 'bob@one.test'),
      fourFailures,
      itsTime,
      { ...nextAttempt, gates: 5 },
      died,
      itsTime,
      { ...nextAttempt, answers: ['accepted'] },
    ],
  },
]
for (const { rule, moves } of found) test(rule, () => playRun(table, { seed: 1, moves }))
