import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { eventually } from '../../scripts/eventually.ts'
import type { AccountDetailsJson } from '../../shared/admin/accounts.ts'
import type { QueuedCallJson, RetiredCallJson } from '../../shared/admin/call-json.ts'
import { formatHint } from '../../shared/attempts/hint-channel.ts'
import { HOUR, type Instant, MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { callHint, type WebhookCall } from '../../shared/webhook/webhook-call.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type ReceivedCall, type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// When an application that fails is called again, and what becomes of a call whose worker dies.

let postern: TestPostern
let application: WebhookReceiver
/** What calls are signed with. */
let secret: string
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

/** What the application answers to events of messages with that subject; 200 to all others. */
const answers = new Map<unknown, (attempt: number) => number>()

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(
    context,
    ({ headers, json }) => answers.get(json.Subject)?.(Number(headers['x-mox-webhook-attempt'])) ?? 200,
  )
  const { NewWebhookSecrets } = await postern.admin.patch<AccountDetailsJson>('/accounts/postern', {
    OutgoingWebhook: { URL: application.url },
  })
  secret = NewWebhookSecrets?.Outgoing ?? assert.fail('no secret was made')
  // Beyond what a running function remembers of the options.
  await advance(10 * SECOND)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('AT-52: eleven failures keep a call queued, the twelfth retires it with twelve results', async () => {
  answers.set('refused always', () => 500)
  const id = await refusedOnce('refused always')
  for (let attempt = 2; attempt <= 11; attempt++) await dueAttempt(id, attempt)
  const queued = await shownCall<QueuedCallJson>(id)
  assert.ok('NextAttempt' in queued)
  assert.deepEqual([queued.Attempts, queued.Results.length], [11, 11])

  await dueAttempt(id, 12)
  const retired = await shownCall<RetiredCallJson>(id)
  assert.deepEqual([retired.Success, retired.Attempts, retired.Results.length], [false, 12, 12])
  assert.ok(retired.Results.every(({ Success, Code }) => !Success && Code === 500))
  await advance(24 * HOUR)
  assert.equal(callsOf(id).length, 12, 'it is given up')
})

test('AT-52: refused eleven times and then taken, an application gets twelve calls in time, the same but for attempt and signature', async () => {
  answers.set('taken at last', (attempt) => (attempt < 12 ? 500 : 200))
  const id = await refusedOnce('taken at last')
  const delays = []
  for (let attempt = 2; attempt <= 12; attempt++) delays.push(await dueAttempt(id, attempt))
  for (const [place, { startedAt, scheduledAt, lastAt }] of delays.entries()) {
    assert.ok(startedAt >= scheduledAt && startedAt <= scheduledAt + MINUTE, `call ${place + 2} in time`)
    const wanted = (SCHEDULE_MINUTES[place] ?? 0) * MINUTE
    assert.ok(Math.abs(scheduledAt - lastAt - wanted) <= wanted / 100, `call ${place + 2} by the schedule`)
  }
  assert.equal((await read(id)).retired?.success, true)
  await advance(24 * HOUR)

  const made = callsOf(id)
  assert.deepEqual(
    made.map(({ headers }) => headers['x-mox-webhook-attempt']),
    ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'],
  )
  assert.deepEqual([...new Set(made.map(({ headers }) => headers['webhook-id']))], [`msg_${id}_postern`])
  assert.equal(new Set(made.map(({ text }) => text)).size, 1, 'the same body')
  const startedAt = (await read(id)).results.map((result) => result.startedAt)
  for (const [place, call] of made.entries()) assertSigned(call, startedAt[place] ?? 0)
})

for (const { when, received } of [
  { when: 'before', received: ['1', '3'] },
  { when: 'after', received: ['1', '2', '3'] },
]) {
  test(`a worker killed with a claim, ${when} it called: the call is made again under the same id, once`, async () => {
    const subject = `killed ${when}`
    answers.set(subject, (attempt) => (attempt === 1 ? 500 : 200))
    const id = await refusedOnce(subject)
    await dieInCall(id, when)
    const { state, attempts, results } = await read(id)
    assert.deepEqual([state, attempts, results.at(-1)?.status], ['attempting', 2, 'running'])

    await advance(3 * MINUTE)
    const done = await eventually('it is done', async () => {
      const call = await read(id)
      return call.state === 'done' && call
    })
    assert.deepEqual(
      done.results.map(({ attempt, status }) => [attempt, status]),
      [
        [1, 'temporary'],
        [2, 'interrupted'],
        [3, 'success'],
      ],
    )
    await advance(24 * HOUR)
    assert.deepEqual(
      callsOf(id).map(({ headers }) => headers['x-mox-webhook-attempt']),
      received,
    )
  })
}

test('a call that has killed five workers in a row is put on hold, and made once an operator releases it', async () => {
  answers.set('deadly', (attempt) => (attempt === 1 ? 500 : 200))
  const id = await refusedOnce('deadly')
  for (let deaths = 0; deaths < 5; deaths++) await dieInCall(id, 'before')
  await advance(3 * MINUTE)
  await eventually('it is on hold', async () => (await read(id)).hold)
  assert.match((await shownCall<QueuedCallJson>(id)).HoldReason, /five attempts in a row were interrupted/)
  await advance(24 * HOUR)
  assert.equal(callsOf(id).length, 1)

  await postern.admin.post('/webhooks/actions', { Action: 'release', Filter: { IDs: [`postern/${id}`] } })
  await eventually('it is done', async () => (await read(id)).retired?.success)
  assert.equal(callsOf(id).length, 2)
})

/** The waits of mox §2.3. */
const SCHEDULE_MINUTES = [1, 2, 4, 7.5, 15, 30, 60, 120, 240, 480, 960]

async function advance(milliseconds: number): Promise<void> {
  await postern.local.cloud.clock.advance(Math.ceil(milliseconds))
}

/** Sends a message whose event the application refuses, and answers the id of the call once that is noted. */
async function refusedOnce(Subject: string): Promise<RowId> {
  const sent = await postern.call('Send', { To: [{ Address: 'ann@other.test' }], Subject, Text: 'x' })
  assert.equal(sent.status, 200, JSON.stringify(sent.json))
  const made = await eventually('the first call', () =>
    application.calls.find(({ json }) => json.Subject === Subject),
  )
  const id = Number(made.headers['x-mox-webhook-id']) as RowId
  await settled(id, 1)
  return id
}

/**
 * Moves time to half a minute before that attempt is due, when nothing may happen, and then half a minute past it:
 * the sweep, which looks once a minute, has a chance in between.
 */
async function dueAttempt(
  id: RowId,
  attempt: number,
): Promise<{ readonly lastAt: Instant; readonly scheduledAt: Instant; readonly startedAt: Instant }> {
  const { nextAt: scheduledAt, results } = await read(id)
  const { clock } = postern.local.cloud
  await advance(scheduledAt - MINUTE / 2 - clock.now())
  assert.equal((await read(id)).attempts, attempt - 1, `attempt ${attempt} is not made before its time`)
  await advance(MINUTE + SECOND)
  const { results: after } = await settled(id, attempt)
  return { lastAt: startOfLast(results), scheduledAt, startedAt: startOfLast(after) }
}

function startOfLast(results: WebhookCall['results']): Instant {
  return results.at(-1)?.startedAt ?? assert.fail('no result')
}

/** Until the outcome of that attempt is noted: what is still attempted is not looked at when time moves. */
async function settled(id: RowId, attempt: number): Promise<WebhookCall> {
  return await eventually(`the outcome of attempt ${attempt}`, async () => {
    const call = await read(id)
    return call.state !== 'attempting' && call.attempts === attempt && call
  })
}

async function read(id: RowId): Promise<WebhookCall> {
  return (await storesOf(postern.table).calls.read('postern', id)) ?? assert.fail(`no call ${id}`)
}

async function shownCall<Shown>(id: RowId): Promise<Shown> {
  return await postern.admin.get<Shown>(`/webhooks/postern/${id}`)
}

function callsOf(id: RowId): readonly ReceivedCall[] {
  return application.calls.filter(({ headers }) => headers['x-mox-webhook-id'] === `${id}`)
}

/** As an application verifies it (Standard Webhooks 1.0), whose clock is moved too. */
function assertSigned({ headers, text }: ReceivedCall, at: Instant): void {
  const timestamp = Number(headers['webhook-timestamp'])
  assert.ok(Math.abs(timestamp * SECOND - at) <= 5 * SECOND, 'the time of the attempt')
  const wanted = new Webhook(secret).sign(`${headers['webhook-id']}`, new Date(timestamp * SECOND), text)
  assert.equal(headers['webhook-signature'], wanted)
}

/** Has a worker die in the next attempt, once it is due or its lease has ended. This process is the cloud and must not stand still. */
async function dieInCall(id: RowId, when: string): Promise<void> {
  const row = await read(id)
  const config = JSON.stringify(postern.local.cloud.clientConfig())
  const script = join(import.meta.dirname, '..', 'fixtures', 'die-in-call.ts')
  const at = Math.max(row.nextAt, row.lease?.endsAt ?? 0) + 1
  const args = [script, config, postern.table.name, formatHint(callHint(row)), when, String(at)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}
