import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Settlement } from '../../../shared/attempts/attempt-store.ts'
import { HOUR, MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { call } from '../../../shared/webhook/call.ts'
import { type CallResult, newCall, type WebhookCall } from '../../../shared/webhook/webhook-call.ts'
import type { WebhookAnswer } from '../../../shared/webhook/webhook-sender.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const at = fakeClock().now()

/** What the first attempt of a call is settled with, when the receiver answers so. */
async function settledWith(
  answer: WebhookAnswer,
  more: Partial<WebhookCall> = {},
): Promise<Settlement<CallResult>> {
  const waiting = newCall({
    account: 'shop',
    id: rowIdAt(at, 1),
    queuedAt: at,
    url: 'https://shop.example/hook',
    authorization: '',
    event: 'delivered',
    body: { json: '{}' },
    queueMsgId: 0,
    fromId: '',
    messageId: '',
    subject: '',
    extra: {},
    keepRetiredMs: 0,
    supersedes: false,
    ...more,
  })
  const settlements: Settlement<CallResult>[] = []
  const unused = () => Promise.reject(new Error('not for this'))
  await call(
    {
      calls: {
        read: async () => waiting,
        claim: async (row, { attempt, lease, running }): Promise<WebhookCall> => ({
          ...row,
          state: 'attempting',
          attempts: attempt,
          lease,
          results: [running],
        }),
        settle: async (_row, settlement) => {
          settlements.push(settlement)
          return 'settled'
        },
        cancel: unused,
        add: unused,
        replay: unused,
        edit: unused,
        due: unused,
        lookAgain: unused,
        setAside: unused,
      },
      content: { create: unused, read: unused, keep: unused, remove: unused },
      sender: { post: async () => answer },
      signingSecrets: { read: async () => undefined },
      failing: { read: async () => undefined, note: async () => {}, forget: unused },
      clock: fakeClock(),
      random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
      leaseMs: MINUTE,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    },
    { account: 'shop', id: waiting.id, attempt: 1 },
  )
  return settlements[0] ?? assert.fail('it was not settled')
}

const answered = (status: number, retryAfter?: string): WebhookAnswer => ({
  kind: 'answered',
  status,
  response: '',
  ...(retryAfter !== undefined && { retryAfter }),
})

const cases: readonly [rule: string, answer: WebhookAnswer, wanted: number | 'success' | 'failure'][] = [
  ['AT-73: any 2xx is success', answered(204), 'success'],
  ['AT-73: a redirect is no success, and is not followed', answered(302), MINUTE],
  ['a fault of the receiver waits for the schedule', answered(500), MINUTE],
  ['Retry-After in seconds (RFC 9110 §10.2.3)', answered(503, '300'), 5 * MINUTE],
  ['Retry-After as a date', answered(429, 'Mon, 01 Jun 2026 02:00:00 GMT'), 2 * HOUR],
  ['Retry-After that is earlier than the schedule', answered(503, '5'), MINUTE],
  ['Retry-After of days is cut', answered(503, '864000'), 16 * HOUR],
  ['Retry-After that is no time', answered(503, 'soon'), MINUTE],
  ['410: the receiver wants no more calls (RFC 9110 §15.5.11)', answered(410, '60'), 'failure'],
  ['no answer', { kind: 'unreachable', error: 'connection refused' }, MINUTE],
]
for (const [rule, answer, wanted] of cases) {
  test(`${rule}: ${typeof wanted === 'number' ? `again in ${wanted / SECOND} s` : wanted}`, async () => {
    const settlement = await settledWith(answer)
    if (typeof wanted === 'number') {
      assert.equal(settlement.kind === 'retry' && settlement.nextAt - at, wanted)
    } else {
      assert.equal(settlement.kind === 'retire' && settlement.retired.success, wanted === 'success')
    }
  })
}

for (const answer of [
  answered(500),
  answered(503, '60'),
  { kind: 'unreachable', error: 'refused' } as const,
]) {
  test(`a test is over with its first attempt, answered by ${JSON.stringify(answer)}`, async () => {
    const settlement = await settledWith(answer, { event: 'test', test: 'incoming' })
    assert.equal(settlement.kind === 'retire' && settlement.retired.success, false)
    assert.equal(settlement.kind, 'retire')
  })
}
