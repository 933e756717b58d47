import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import type { QueuedMessageJson, RetiredMessageJson } from '../../shared/admin/message-json.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import { type ScriptedServer, scriptedServer } from '../adapters/net/scripted-server.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
/** Takes what goes to relayed.test. */
let relay: ScriptedServer
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

const refusals = {
  deferring: { SMTPCode: 451, SMTPMessage: 'not now' },
  refusing: {},
  'of-account': { SMTPCode: 551, SMTPMessage: 'by the account' },
  'of-domain': { SMTPCode: 552, SMTPMessage: 'by the domain' },
}

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  relay = await scriptedServer(context, {})
  const { admin } = postern
  for (const [name, fields] of Object.entries(refusals)) {
    await admin.put(`/transports/${name}`, { Kind: 'fail', ...fields })
  }
  await admin.put('/transports/relay', {
    Kind: 'submission',
    Host: '127.0.0.1',
    Port: relay.port,
    TLS: 'none',
  })
  await admin.put('/domains/sender.test', {})
  await admin.put('/addresses/me@sender.test', { Account: 'postern' })
  await admin.put('/routes', [
    { ToDomain: ['.switch.test'], MinimumAttempts: 1, Transport: 'local' },
    { ToDomain: ['.switch.test', 'chosen.test'], Transport: 'deferring' },
    { ToDomain: ['refused.test'], Transport: 'refusing' },
    { ToDomain: ['relayed.test'], Transport: 'relay' },
    { Transport: 'local' },
  ])
  await admin.put('/domains/localhost/routes', [
    { ToDomain: ['owned.test', 'other.test'], Transport: 'of-domain' },
  ])
  await admin.put('/accounts/postern/routes', [{ ToDomain: ['owned.test'], Transport: 'of-account' }])
  // Messages with senders of their own share no transaction.
  await admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: application.url },
    FromIDLoginAddresses: [],
  })
  await known()
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** Moves time beyond what running functions remember of the options. */
async function known(): Promise<void> {
  await postern.local.cloud.clock.advance(6 * SECOND)
}

async function send(addresses: readonly string[], more: object = {}): Promise<readonly number[]> {
  const To = addresses.map((Address) => ({ Address }))
  const { status, json } = await postern.call('Send', { To, Subject: 'x', Text: 'x', ...more })
  assert.equal(status, 200, JSON.stringify(json))
  return (json.Submissions as { QueueMsgID: number }[]).map(({ QueueMsgID }) => QueueMsgID)
}

/** What the application hears of a message, once it has heard `count` events. */
async function eventsOf(id: number | undefined, count: number): Promise<readonly unknown[]> {
  const calls = await eventually(`${count} events of ${id}`, () => {
    const found = application.calls.filter(({ json }) => json.QueueMsgID === id)
    return found.length >= count && found
  })
  return calls.map(({ json }) => [json.Event, json.SMTPCode, json.SMTPEnhancedCode])
}

async function resultsOf(id: number | undefined) {
  const { Results } = await postern.admin.get<QueuedMessageJson>(`/queue/postern/${id}`)
  return Results
}

test('AT-77: after the first attempt another route applies, unless the sender’s domain was disabled meanwhile', async () => {
  const [switching] = await send(['a@sub.switch.test'])
  const [disabled] = await send(['b@switch.test'], { From: [{ Address: 'me@sender.test' }] })
  assert.deepEqual(await eventsOf(switching, 1), [['delayed', 451, '4.7.0']])
  assert.deepEqual(await eventsOf(disabled, 1), [['delayed', 451, '4.7.0']])
  assert.match((await resultsOf(switching))[0]?.Error ?? '', /not now/)
  await postern.admin.patch('/domains/sender.test', { Disabled: true })
  await known()
  await postern.local.cloud.clock.advance(8 * MINUTE)
  const delivered = await eventsOf(switching, 2)
  assert.deepEqual(delivered[1], ['delivered', 0, ''])
  await eventsOf(disabled, 2)
  const [, second] = await resultsOf(disabled)
  assert.match(second?.Error ?? '', /^the sender's domain sender\.test is disabled: /)
})

test('AT-77: a transport that fails refuses at the first attempt, and nobody is asked', async () => {
  const [id] = await send(['a@refused.test'])
  assert.deepEqual(await eventsOf(id, 1), [['failed', 554, '5.7.0']])
  const { Success, Results } = await postern.admin.get<RetiredMessageJson>(`/queue/postern/${id}`)
  assert.deepEqual([Success, Results.length], [false, 1])
})

test('routes of the account go before those of the sender’s domain, and those before the installation’s', async () => {
  const [owned, other, third] = await send(['a@owned.test', 'b@other.test', 'c@third.test'])
  assert.deepEqual(await eventsOf(owned, 1), [['failed', 551, '5.7.0']])
  assert.deepEqual(await eventsOf(other, 1), [['failed', 552, '5.7.0']])
  assert.deepEqual(await eventsOf(third, 1), [['delivered', 0, '']])
})

test('AT-38: two messages that go by one relay are one submission', async () => {
  const ids = await send(['a@relayed.test', 'b@relayed.test'])
  for (const id of ids) assert.deepEqual(await eventsOf(id, 1), [['delivered', 0, '']])
  assert.equal(relay.connections, 1)
  const words = relay.commands.map((command) => /^(MAIL|RCPT TO:<.@relayed\.test>|DATA)/.exec(command)?.[0])
  assert.deepEqual(
    words.filter((word) => word !== undefined),
    ['MAIL', 'RCPT TO:<a@relayed.test>', 'RCPT TO:<b@relayed.test>', 'DATA'],
  )
})

test('AT-38: a transport that an operator chooses for a message takes the place of its routes', async () => {
  const [id] = await send(['a@chosen.test'])
  await eventsOf(id, 1)
  const act = async (body: object) =>
    await postern.admin.post<OperationJson>('/queue/actions', { Filter: { IDs: [`postern/${id}`] }, ...body })
  assert.equal((await act({ Action: 'transport', Transport: 'local' })).Changed, 1)
  assert.equal((await act({ Action: 'schedule', At: 'now' })).Changed, 1)
  assert.deepEqual((await eventsOf(id, 2))[1], ['delivered', 0, ''])
})
