import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOUR, MINUTE } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { type Failing, noteOutcome } from '../../../shared/webhook/failing-webhook.ts'
import { newCall, type WebhookCall } from '../../../shared/webhook/webhook-call.ts'

const at = Date.UTC(2026, 5, 1)
const call = newCall({
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
})

/** What is written when an attempt ends so, an hour after `at`. */
async function written(
  before: Failing | undefined,
  status: 'success' | 'temporary' | 'permanent',
  of: WebhookCall = call,
): Promise<Failing | 'forgotten' | undefined> {
  let found: Failing | 'forgotten' | undefined
  const store = {
    read: async () => before,
    note: async (_webhook: object, _before: unknown, after: Failing) => {
      found = after
    },
    forget: async () => {
      found = 'forgotten'
    },
  }
  const result = { attempt: 1, durationMs: 5, code: 0, url: call.url, response: '' } as const
  await noteOutcome(store, of, { ...result, startedAt: at + HOUR, status, error: 'refused' })
  return found
}

const first = { since: at, lastAt: at, error: 'no answer' }
const now = at + HOUR
const cases: readonly [rule: string, found: unknown, wanted: unknown][] = [
  ['a success of a webhook that works writes nothing', written(undefined, 'success'), undefined],
  ['a success ends a row of failures', written(first, 'success'), 'forgotten'],
  [
    'the first failure begins a row',
    written(undefined, 'temporary'),
    { since: now, lastAt: now, error: 'refused' },
  ],
  [
    'a later failure, also the last of a call, goes on with it',
    written(first, 'permanent'),
    { since: at, lastAt: now, error: 'refused' },
  ],
  [
    'failures within ten minutes are noted once',
    written({ ...first, lastAt: now - 9 * MINUTE }, 'temporary'),
    undefined,
  ],
  [
    'a test that fails counts for nothing',
    written(undefined, 'permanent', { ...call, test: 'outgoing' }),
    undefined,
  ],
  [
    'a test that succeeds counts for nothing',
    written(first, 'success', { ...call, test: 'outgoing' }),
    undefined,
  ],
]
for (const [rule, found, wanted] of cases) {
  test(`failing webhooks: ${rule}`, async () => assert.deepEqual(await found, wanted))
}
