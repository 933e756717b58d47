import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import type { AccountDetailsJson } from '../../shared/admin/accounts.ts'
import type { QueuedCallJson, RetiredCallJson } from '../../shared/admin/call-json.ts'
import type { WebhookTestJson } from '../../shared/admin/webhook-tests.ts'
import { HOUR } from '../../shared/base/clock.ts'
import { type Outcome, runPostern } from '../cli/admin-server.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { type ReceivedCall, type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
const secrets = { outgoing: '', incoming: '' }
const directory = mkdtempSync(join(tmpdir(), 'postern-webhook-tests-'))
const ends: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
const context = { after: (end: () => unknown) => void ends.push(end) }

/** The path says what is answered; `/never` is not answered at all. */
async function statusOf({ path }: ReceivedCall): Promise<number> {
  return path === '/never' ? await new Promise<never>(() => {}) : Number(path.slice(1))
}

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(context, statusOf)
  const { NewWebhookSecrets } = await postern.admin.patch<AccountDetailsJson>('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/204`, Authorization: 'Bearer own' },
    IncomingWebhook: { URL: `${application.url}/200` },
  })
  secrets.outgoing = NewWebhookSecrets?.Outgoing ?? ''
  secrets.incoming = NewWebhookSecrets?.Incoming ?? ''
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

async function tryReceiver(direction: string, body: object = {}): Promise<WebhookTestJson> {
  return await postern.admin.post(`/accounts/postern/webhook-tests/${direction}`, body)
}

function callOf({ ID }: WebhookTestJson): ReceivedCall {
  const calls = application.calls.filter(({ headers }) => headers['x-mox-webhook-id'] === String(ID))
  assert.equal(calls.length, 1, 'a test is attempted once')
  return calls[0] ?? assert.fail()
}

test('AT-62: a test of the outgoing webhook calls its URL with its Authorization, signed, with an example event', async () => {
  const tried = await tryReceiver('outgoing')
  assert.deepEqual(tried, { ID: tried.ID, Code: 204, Response: '', Error: '', Done: true })
  const { headers, text, json, path } = callOf(tried)
  assert.deepEqual(
    [path, headers.authorization, headers['x-mox-webhook-attempt']],
    ['/204', 'Bearer own', '1'],
  )
  assert.deepEqual([json.Version, json.Event, json.QueueMsgID], [0, 'delivered', tried.ID])
  new Webhook(secrets.outgoing).verify(text, headers as Record<string, string>)
})

test('AT-62: a test of the incoming webhook is an example mail, and answers 200, the body and no error', async () => {
  const tried = await tryReceiver('incoming')
  assert.deepEqual(tried, { ID: tried.ID, Code: 200, Response: 'thank you', Error: '', Done: true })
  const { headers, text, json } = callOf(tried)
  assert.deepEqual(json.From, [{ Name: 'Ann', Address: 'ann@example.org' }])
  assert.deepEqual([json.Subject, json.Text], ['This is a test', 'An operator tests your webhook.\n'])
  new Webhook(secrets.incoming).verify(text, headers as Record<string, string>)
})

test('a test may name its URL and its body; the Authorization of the account goes to its own URL only', async () => {
  const URL = `${application.url}/201`
  const foreign = await tryReceiver('outgoing', { URL, Payload: { Text: 'a < b', Number: 1 } })
  assert.deepEqual([foreign.Code, callOf(foreign).headers.authorization], [201, undefined])
  assert.equal(callOf(foreign).text, '{"Text":"a \\u003c b","Number":1}')
  const authorized = await tryReceiver('outgoing', { URL, Authorization: 'Bearer other' })
  assert.equal(callOf(authorized).headers.authorization, 'Bearer other')
})

test('AT-62: a receiver that answers 500 is told so, is not called again, and the test is kept for an hour', async () => {
  const tried = await tryReceiver('outgoing', { URL: `${application.url}/500` })
  const error = 'the receiver answered HTTP status 500'
  assert.deepEqual(tried, { ID: tried.ID, Code: 500, Response: 'thank you', Error: error, Done: true })
  const call = await postern.admin.get<RetiredCallJson>(`/webhooks/postern/${tried.ID}`)
  assert.deepEqual([call.OutgoingEvent, call.Success, call.Attempts], ['test', false, 1])
  assert.equal(Date.parse(call.KeepUntil) - Date.parse(call.LastActivity), HOUR)
})

test('a receiver that nobody reaches is an outcome with an error', async () => {
  const { Code, Error: error, Done } = await tryReceiver('outgoing', { URL: 'http://127.0.0.1:1024/' })
  assert.deepEqual([Code, Done], [0, true])
  assert.match(error, /refused/i)
})

test('a receiver that does not answer within 15 seconds leaves the test to be looked at', async () => {
  const begunAt = performance.now()
  const tried = await tryReceiver('incoming', { URL: `${application.url}/never` })
  assert.deepEqual(tried, { ID: tried.ID, Code: 0, Response: '', Error: '', Done: false })
  assert.ok(performance.now() - begunAt > 14_000)
  const call = await postern.admin.get<QueuedCallJson>(`/webhooks/postern/${tried.ID}`)
  assert.deepEqual([call.IsIncoming, call.Attempts], [true, 1])
})

test('a test call is not replayed', async () => {
  const body = { Action: 'replay', Filter: { Event: 'test' } }
  const { Matched, Changed } = await eventually('the tests are listed', async () => {
    const replayed = await postern.admin.post<{ Matched: number; Changed: number }>('/webhooks/actions', body)
    return replayed.Matched > 0 && replayed
  })
  assert.deepEqual([Matched > 0, Changed], [true, 0])
})

async function command(...args: readonly string[]): Promise<Outcome> {
  const environment = {
    POSTERN_URL: postern.local.cloud.apiUrl,
    POSTERN_ADMIN_PASSWORD: localSeed.adminPassword,
  }
  return await runPostern(['webhook', 'test', 'postern', ...args], environment)
}

test('postern webhook test prints the status and the answer; its exit code is 1 unless it is 2xx', async () => {
  const payload = join(directory, 'payload.json')
  writeFileSync(payload, '{"Hello":"there"}')
  const success = await command('incoming', '--payload', payload)
  assert.deepEqual([success.status, success.stdout], [0, 'success: HTTP status 200\n  thank you\n'])
  assert.equal(application.calls.at(-1)?.text, '{"Hello":"there"}')
  const failure = await command('outgoing', '--webhook-url', `${application.url}/500`, '--authorization', 'x')
  const text = 'failed: the receiver answered HTTP status 500\n  thank you\n'
  assert.deepEqual([failure.status, failure.stdout], [1, text])
  const unread = await command('outgoing', '--payload', join(directory, 'none.json'))
  assert.match(unread.stderr, /--payload: cannot read .*none\.json/)
})
