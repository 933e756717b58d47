import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { HOUR, MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { testAdmin } from '../../support/admin-ports.ts'
import { webhookCall } from './webhook-call.ts'

const at = Date.UTC(2026, 5, 1)
const accounts = { shop: freshAccount }
const id = rowIdAt(at, 1)

const failed = {
  attempt: 1,
  startedAt: at,
  durationMs: 250,
  status: 'temporary',
  code: 500,
  error: 'answered 500',
  url: 'https://shop.example/hook',
  response: 'oops',
} as const
const common = {
  ID: id,
  QueueMsgID: rowIdAt(at, 7),
  FromID: '',
  MessageID: '<m@shop.example>',
  Subject: 'Hello',
  Extra: {},
  Account: 'shop',
  URL: 'https://shop.example/hook',
  IsIncoming: false,
  OutgoingEvent: 'delivered',
  Payload: '{"Event":"delivered"}',
  Submitted: '2026-06-01T00:00:00.000Z',
  Attempts: 1,
  Results: [
    {
      Start: '2026-06-01T00:00:00.000Z',
      Duration: 250_000_000,
      URL: 'https://shop.example/hook',
      Success: false,
      Code: 500,
      Error: 'answered 500',
      Response: 'oops',
    },
  ],
  // The value itself is a secret of the application.
  Authorization: true,
}

test('a queued call has the shape of mox, without the Authorization that it sends', async () => {
  const admin = testAdmin({ accounts })
  admin.state.calls = [webhookCall({ attempts: 1, nextAt: at + MINUTE, results: [failed] })]
  const wanted = { ...common, HoldReason: '', NextAttempt: '2026-06-01T00:01:00.000Z' }
  assert.deepEqual(await admin.done('GET', '/webhooks'), [wanted])
  assert.deepEqual(await admin.done('GET', `/webhooks/${id}`), wanted)
  assert.deepEqual(await admin.done('GET', '/webhooks/retired'), [])
})

test('a finished call has the shape of mox', async () => {
  const admin = testAdmin({ accounts })
  const retired = { success: false, lastActivityAt: at + SECOND, keepUntil: at + HOUR }
  admin.state.calls = [webhookCall({ attempts: 1, results: [failed], state: 'done', retired })]
  const wanted = {
    ...common,
    SupersededByID: 0,
    Success: false,
    LastActivity: '2026-06-01T00:00:01.000Z',
    KeepUntil: '2026-06-01T01:00:00.000Z',
  }
  assert.deepEqual(await admin.done('GET', '/webhooks/retired'), [wanted])
  assert.deepEqual(await admin.done('GET', `/webhooks/${id}`), wanted)
  assert.deepEqual(await admin.done('GET', '/webhooks'), [])
})

test('a call about received mail has no event, and a large body is not listed', async () => {
  const admin = testAdmin({ accounts })
  const body = { stored: `hook/shop/${id}` } as const
  admin.state.calls = [webhookCall({ event: 'incoming', queueMsgId: 0, body, authorization: '' })]
  const [call] = (await admin.done('GET', '/webhooks')) as Record<string, unknown>[]
  const { IsIncoming, OutgoingEvent, Payload, Authorization, QueueMsgID } = call ?? {}
  assert.deepEqual(
    { IsIncoming, OutgoingEvent, Payload, Authorization, QueueMsgID },
    { IsIncoming: true, OutgoingEvent: '', Payload: '', Authorization: false, QueueMsgID: 0 },
  )
})

const attempt = { ...failed, durationMs: 0, status: 'running', code: 0, error: '', response: '' } as const
for (const { state, endsAt, text } of [
  { state: 'while its lease runs', endsAt: at + MINUTE, text: 'delivering...' },
  { state: 'whose worker vanished', endsAt: at - 1, text: 'interrupted' },
]) {
  test(`an attempt ${state} is shown as ${text}`, async () => {
    const admin = testAdmin({ accounts })
    const lease = { owner: 'x', endsAt }
    admin.state.calls = [webhookCall({ state: 'attempting', attempts: 1, lease, results: [attempt] })]
    const [call] = (await admin.done('GET', '/webhooks')) as { Results: { Error: string }[] }[]
    assert.equal(call?.Results[0]?.Error, text)
  })
}

test('calls are listed by event, incoming ones and tests too, and by time', async () => {
  const admin = testAdmin({ accounts })
  admin.state.calls = [
    webhookCall({ id: rowIdAt(at, 1), event: 'delivered', queuedAt: at - HOUR }),
    webhookCall({ id: rowIdAt(at, 2), event: 'failed', nextAt: at + HOUR }),
    webhookCall({ id: rowIdAt(at, 3), event: 'incoming' }),
    webhookCall({ id: rowIdAt(at, 4), event: 'test', test: 'incoming' }),
  ]
  const ids = async (query: string) =>
    ((await admin.done('GET', `/webhooks?${query}`)) as { ID: number }[]).map(({ ID }) => ID - rowIdAt(at, 0))
  assert.deepEqual(await ids('event=failed'), [2])
  assert.deepEqual(await ids('event=incoming'), [3])
  assert.deepEqual(await ids('event=test'), [4])
  assert.deepEqual(await ids('submitted=%3C-1m'), [1])
  assert.deepEqual(await ids('nextattempt=%3E1m'), [2])
  assert.deepEqual(await ids(`ids=${rowIdAt(at, 3)},shop/${rowIdAt(at, 1)}`), [1, 3])
})
