import fc from 'fast-check'
import type { Gates } from './lock-step.ts'
import type { Answer, Report } from './queue-rules.ts'

/** What happens next. Whatever it picks is taken modulo what there is, the newest first; without any, nothing happens. */
export type Move =
  | {
      readonly kind: 'send'
      readonly recipients: readonly string[]
      readonly hasFromId: boolean
      readonly releaseInMs: number
      readonly gates: Gates
    }
  | {
      readonly kind: 'follow'
      /** A hint that was sent, or one for the next attempt of a message, right or `off` by so many attempts. */
      readonly hint: 'sent' | 'made'
      readonly pick: number
      readonly off: number
      readonly answers: readonly Answer[]
      readonly gates: Gates
    }
  | {
      readonly kind: 'go on'
      readonly pick: number
      readonly answers: readonly Answer[]
      readonly gates: Gates
    }
  | { readonly kind: 'die'; readonly pick: number; readonly rowsWritten: number }
  | { readonly kind: 'act'; readonly pick: number; readonly action: MadeAction; readonly gates: Gates }
  | { readonly kind: 'repeat'; readonly pick: number; readonly gates: Gates }
  | { readonly kind: 'wait'; readonly byMs: number }
  /** Until a message may be attempted: its time has come, and the lease of its worker is over. */
  | { readonly kind: 'wait for'; readonly pick: number }
  | { readonly kind: 'sweep' }
  | {
      readonly kind: 'report'
      readonly pick: number
      readonly report: Report
      readonly by: 'address' | 'envelope id'
      readonly isKnown: boolean
    }
  /** Another worker takes a message over from a slow one, and stands, or is done, when that one goes on. */
  | {
      readonly kind: 'overtake'
      readonly pick: number
      readonly answers: readonly Answer[]
      readonly gates: Gates
    }
  /** A message is tried again and again, each time when it may be, by workers that end the same way. */
  | {
      readonly kind: 'insist'
      readonly pick: number
      readonly times: number
      readonly answer: Answer
      readonly gates: Gates
    }

/** An operator's action; times are from now, or from its time. */
type MadeAction =
  | { readonly kind: 'hold' | 'release' | 'fail' | 'drop' }
  | { readonly kind: 'schedule'; readonly byMs: number }
  | { readonly kind: 'postpone'; readonly byMs: number }

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Few, so that messages meet: two are one person's, and two domains have two recipients each. */
const recipients = ['ann@one.test', 'Ann.+shop@one.test', 'bob@one.test', 'bob@two.test', 'cy@two.test']

const pick = fc.nat({ max: 6 })
const answer = fc.constantFrom<Answer[]>('accepted', 'later', 'later', 'none', 'refused', 'unknown')
const answers = fc.array(answer, { minLength: 1, maxLength: 3 })
const gates = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Gates>('all') },
  { weight: 2, arbitrary: fc.nat({ max: 4 }) },
)

const send = fc.record({
  kind: fc.constant('send' as const),
  recipients: fc.array(fc.constantFrom(...recipients), { minLength: 1, maxLength: 3 }),
  hasFromId: fc.boolean(),
  releaseInMs: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(10 * MINUTE, 2 * DAY) },
  ),
  gates: fc.oneof({ weight: 4, arbitrary: fc.constant<Gates>('all') }, { weight: 1, arbitrary: gates }),
})

const follow = fc.record({
  kind: fc.constant('follow' as const),
  hint: fc.constantFrom('sent' as const, 'made' as const),
  pick,
  off: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) }),
  answers,
  gates,
})

/** The last is more than a message may wait. */
const delay = fc.constantFrom(0, 0, -HOUR, HOUR, 2 * DAY, 81 * DAY)
const action = fc.oneof(
  fc.record({ kind: fc.constantFrom('hold' as const, 'release' as const, 'fail' as const, 'drop' as const) }),
  fc.record({ kind: fc.constant('schedule' as const), byMs: delay }),
  fc.record({ kind: fc.constant('postpone' as const), byMs: delay }),
)

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: send },
  { weight: 8, arbitrary: follow },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('go on' as const), pick, answers, gates }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('die' as const), pick, rowsWritten: fc.nat({ max: 2 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('act' as const), pick, action, gates }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), pick, gates }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait for' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      byMs: fc.constantFrom(100_000, 20 * MINUTE, 8 * HOUR),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'sweep' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      pick,
      report: fc.constantFrom<Report[]>('failed', 'delayed', 'delivered', 'unrecognized'),
      by: fc.constantFrom('address' as const, 'envelope id' as const),
      isKnown: fc.constantFrom(true, true, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('overtake' as const), pick, answers, gates }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('insist' as const),
      pick,
      times: fc.integer({ min: 2, max: 8 }),
      answer,
      gates: fc.constantFrom<Gates[]>('all', 'all', 'all', 1, 2, 3),
    }),
  },
)

/** What the randomness of a run begins with, and its moves. */
export interface Run {
  readonly seed: number
  readonly moves: readonly Move[]
}

/** Runs of up to 40 moves, of which the first is a Send. */
export const runs: fc.Arbitrary<Run> = fc.record({
  seed: fc.noShrink(fc.nat()),
  moves: fc
    .tuple(send, fc.array(move, { maxLength: 39, size: 'max' }))
    .map(([first, more]) => [first, ...more]),
})
