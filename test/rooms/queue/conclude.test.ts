import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { HOUR, SECOND } from '../../../shared/base/clock.ts'
import { type Conclusion, conclude } from '../../../shared/queue/conclude.ts'
import type {
  DeliveryResult,
  DsnRequest,
  NoticeKind,
  QueuedMessage,
} from '../../../shared/queue/queued-message.ts'
import type { DeliveryOutcome, Suppressed } from '../../../shared/queue/transport.ts'
import { queuedMessage } from '../../support/queued-message.ts'

const STARTED_AT = Date.UTC(2026, 5, 1)
const remote = { host: 'mx.test', ipAddress: '192.0.2.1' }
const transcript = ['3 S: 220 mx.test', '4 C: QUIT']

const running: DeliveryResult = {
  attempt: 1,
  startedAt: STARTED_AT,
  durationMs: 0,
  status: 'running',
  code: 0,
  enhancedCode: '',
  error: '',
  reply: '',
}
/** Five, the last of which is running. */
const ATTEMPTS = [1, 2, 3, 4, 5].map(
  (attempt) => ({ ...running, attempt, status: attempt < 5 ? 'temporary' : 'running' }) as const,
)
const row = queuedMessage({
  state: 'attempting',
  attempts: 1,
  queuedAt: STARTED_AT,
  nextAt: STARTED_AT,
  results: [running],
  mailFrom: parseAddress('me@from.example'),
  recipient: parseAddress('you@to.test'),
})

const cases: readonly [
  rule: string,
  outcome: DeliveryOutcome | Suppressed,
  result: Partial<DeliveryResult>,
][] = [
  [
    'a delivery keeps the server and its reply',
    { kind: 'accepted', code: 250, enhancedCode: '2.0.0', reply: '2.0.0 queued as 4F2A', remote },
    { status: 'success', code: 250, enhancedCode: '2.0.0', reply: '2.0.0 queued as 4F2A', remote },
  ],
  [
    'a failure keeps the transcript, too',
    { kind: 'temporary', code: 451, enhancedCode: '', error: 'later', reply: 'later', remote, transcript },
    { status: 'temporary', code: 451, error: 'later', reply: 'later', remote, transcript },
  ],
  [
    'where nobody answered there is nothing to keep',
    { kind: 'permanent', code: 0, enhancedCode: '', error: 'no', reply: '' },
    { status: 'permanent', error: 'no' },
  ],
  [
    'where nobody was asked there is nothing to keep',
    { kind: 'suppressed', code: 0, enhancedCode: '', error: 'on the list' },
    { status: 'permanent', error: 'on the list' },
  ],
]
for (const [rule, outcome, result] of cases) {
  test(rule, () => {
    const { settlement } = concluded(row, outcome)
    assert.deepEqual(settlement.result, { ...running, durationMs: 250, ...result })
  })
}

const accepted: DeliveryOutcome = { kind: 'accepted', code: 250, enhancedCode: '2.0.0', reply: '', remote }
const later: DeliveryOutcome = { kind: 'temporary', code: 451, enhancedCode: '', error: 'later', reply: '' }
const never: DeliveryOutcome = { kind: 'permanent', code: 550, enhancedCode: '', error: 'no', reply: '' }
const listed: Suppressed = { kind: 'suppressed', code: 0, enhancedCode: '', error: 'on the list' }
const { mailFrom: _, ...withoutSender } = row

const notices: readonly [
  notify: NonNullable<DsnRequest['notify']> | undefined,
  onAcceptance: NoticeKind | undefined,
  onDelay: NoticeKind | undefined,
  onFailure: NoticeKind | undefined,
][] = [
  [undefined, undefined, 'delayed', 'failed'],
  [[], undefined, undefined, undefined],
  [['FAILURE'], undefined, undefined, 'failed'],
  [['DELAY'], undefined, 'delayed', undefined],
  [['SUCCESS'], 'relayed', undefined, undefined],
  [['SUCCESS', 'FAILURE', 'DELAY'], 'relayed', 'delayed', 'failed'],
]
for (const [notify, onAcceptance, onDelay, onFailure] of notices) {
  test(`NOTIFY=${notify?.join() || (notify ? 'NEVER' : 'nothing')} decides which notices there are (RFC 3461 §4.1)`, () => {
    const asked = { ...row, ...(notify && { dsn: { notify } }) }
    const fifth = { ...asked, attempts: 5, results: ATTEMPTS }
    const given = [accepted, never, listed].map((outcome) => concluded(asked, outcome).effects.notice)
    assert.deepEqual(given, [onAcceptance, onFailure, onFailure])
    assert.equal(concluded(fifth, later).effects.notice, onDelay)
  })
}

test('where the next hop gives the notices, there is none that says relayed (RFC 3461 §5.2.1)', () => {
  const asked = { ...row, dsn: { notify: ['SUCCESS'] } } as const
  assert.equal(concluded(asked, { ...accepted, givesNotices: true }).effects.notice, undefined)
})

test('of a message with the null reverse-path nobody is told (RFC 5321 §6.1)', () => {
  const asked = { ...withoutSender, dsn: { notify: ['SUCCESS', 'FAILURE', 'DELAY'] } } as const
  for (const outcome of [accepted, never]) assert.equal(concluded(asked, outcome).effects.notice, undefined)
})

test('§11 Q25: what we refuse ourselves says nothing of the recipient', () => {
  const { effects: remotes } = concluded(row, never)
  assert.ok(remotes.suppression && remotes.history)
  const { effects, settlement } = concluded(row, { ...never, isOurs: true })
  assert.deepEqual([effects.suppression, effects.history, effects.notice], [undefined, undefined, 'failed'])
  assert.equal(settlement.kind, 'retire')
})

test('who is put off again and again comes back ever less often: a row has room for a week of that', () => {
  const until = STARTED_AT + 250 + SECOND
  const off = { kind: 'postponed', code: 0, enhancedCode: '', error: 'busy', reply: '', until } as const
  const waited = (times: number) => {
    const results = Array.from({ length: times }, () => ({ ...running, status: 'postponed' as const }))
    const { settlement } = concluded({ ...row, results: [...results, running] }, off)
    return settlement.kind === 'retry' ? settlement.nextAt - STARTED_AT - 250 : undefined
  }
  assert.deepEqual([0, 19, 20, 22, 30, 200].map(waited), [
    SECOND,
    SECOND,
    SECOND,
    4 * SECOND,
    1024 * SECOND,
    2 * HOUR,
  ])
})

function concluded(claimed: QueuedMessage, outcome: DeliveryOutcome | Suppressed): Conclusion {
  const [conclusion] = conclude({
    rows: [claimed],
    outcomes: [outcome],
    standings: [{ failuresInARow: 0 }],
    options: freshOptions,
    now: STARTED_AT + 250,
    random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
  })
  return conclusion ?? assert.fail('a row has a conclusion')
}
