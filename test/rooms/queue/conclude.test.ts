import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { conclude } from '../../../shared/queue/conclude.ts'
import type { DeliveryResult } from '../../../shared/queue/queued-message.ts'
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
    const [conclusion] = conclude({
      rows: [row],
      outcomes: [outcome],
      standings: [{ failuresInARow: 0 }],
      options: freshOptions,
      now: STARTED_AT + 250,
      random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
    })
    assert.deepEqual(conclusion?.settlement.result, { ...running, durationMs: 250, ...result })
  })
}
