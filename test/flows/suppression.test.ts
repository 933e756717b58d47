import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { type ScriptedServer, scriptedServer } from '../adapters/net/scripted-server.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
/** Takes the mail for scripted.test, and answers `verdict` to every recipient. */
let remote: ScriptedServer
let verdict = ''
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  remote = await scriptedServer(context, {
    // Without PIPELINING (RFC 2920) no DATA follows a refusal.
    extensions: [],
    reply: (command) => (command.startsWith('RCPT TO') ? verdict : undefined),
  })
  const { admin } = postern
  const OutgoingWebhook = { URL: `${application.url}/out` }
  await admin.patch('/accounts/postern', { OutgoingWebhook })
  await admin.put('/accounts/other', {
    Addresses: ['other@localhost'],
    Password: 'other-password',
    OutgoingWebhook,
  })
  await admin.put('/transports/remote', { Host: '127.0.0.1', Port: remote.port, TLS: 'none' })
  await admin.put('/routes', [{ ToDomain: ['scripted.test'], Transport: 'remote' }, { Transport: 'local' }])
  // A running function may work with options that are five seconds old.
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('AT-17, AT-18, AT-19: the webapi adds, finds and removes by base address, and says what is wrong', async (context) => {
  const list = async () => (await postern.call('SuppressionList', {})).json.Suppressions
  const calls = async (method: string, EmailAddress: string) => {
    const more = method === 'SuppressionAdd' ? { Manual: true, Reason: 'asked to stop' } : {}
    const { status, json } = await postern.call(method, { EmailAddress, ...more })
    return status === 200 ? json : json.Code
  }

  await context.test(
    'AT-17: an entry is listed once, with Unicode addresses, reason and origin',
    async () => {
      assert.deepEqual(await list(), [])
      assert.deepEqual(await calls('SuppressionAdd', 'First.Last-x@xn--74h.test'), {})
      assert.equal(await calls('SuppressionAdd', 'First.Last-x@xn--74h.test'), 'error')
      assert.equal(await calls('SuppressionAdd', 'firstlast+y@☺.test'), 'error')
      assert.equal(await calls('SuppressionAdd', 'no address'), 'badAddress')
      const [entry, second] = (await list()) as Record<string, unknown>[]
      assert.equal(second, undefined)
      const { ID, Created, ...told } = entry ?? {}
      assert.deepEqual(told, {
        Account: 'postern',
        BaseAddress: 'firstlast@☺.test',
        OriginalAddress: 'First.Last-x@☺.test',
        Manual: true,
        Reason: 'asked to stop',
      })
      assert.ok(Number.isSafeInteger(ID) && Math.abs(Date.parse(String(Created)) - Date.now()) < 60_000)
    },
  )

  await context.test('AT-18: every spelling of it is present, nobody else is', async () => {
    assert.deepEqual(await calls('SuppressionPresent', 'other@☺.test'), { Present: false })
    for (const spelled of ['firstlast@☺.test', 'firstlast@xn--74h.test', 'First.Last-x@☺.test']) {
      assert.deepEqual(await calls('SuppressionPresent', spelled), { Present: true }, spelled)
    }
    assert.equal(await calls('SuppressionPresent', 'no address'), 'badAddress')
  })

  await context.test('AT-19: it is removed once, by another spelling', async () => {
    assert.deepEqual(await calls('SuppressionRemove', 'FIRST.LAST+z@☺.test'), {})
    assert.equal(await calls('SuppressionRemove', 'FIRST.LAST+z@☺.test'), 'error')
    assert.equal(await calls('SuppressionRemove', 'no address'), 'badAddress')
    assert.deepEqual(await list(), [])
  })
})

test('AT-41c, AT-41d: a 550 suppresses the base address; the next message to it fails without a connection', async () => {
  const failed = await eventOf('Bob.Smith+permerror@remote.test')
  assert.deepEqual([failed.Event, failed.SMTPCode, failed.Suppressing], ['failed', 550, true])
  const suppressed = await eventOf('bobsmith+other@remote.test')
  assert.deepEqual([suppressed.Event, suppressed.SMTPCode, suppressed.Suppressing], ['suppressed', 0, false])
  assert.match(String(suppressed.Error), /bobsmith@remote\.test is on the suppression list/)
  const mails = await postern.admin.get<{ RcptTo: string }[]>('/mail')
  assert.deepEqual(
    mails.filter(({ RcptTo }) => RcptTo.includes('other@')),
    [],
  )
  const store = dynamoSuppressionStore(postern.table)
  const [entry] = await store.list('postern')
  assert.equal(entry?.baseAddress, 'bobsmith@remote.test')
  assert.equal(await store.remove('postern', 'bobsmith@remote.test'), true)
  assert.equal(await store.remove('postern', 'bobsmith@remote.test'), false)
})

test('AT-74: the third message in a row that fails for good suppresses; a delivery begins anew', async () => {
  const replies = ['554 5.2.2 no', '554 5.2.2 no', '250 ok', '554 5.2.2 no', '451 later', '554 5.2.2 no']
  const told = []
  for (verdict of [...replies, '554 5.2.2 no']) {
    const { Event, Suppressing } = await eventOf('carol@scripted.test')
    told.push([Event, Suppressing])
  }
  assert.deepEqual(told, [
    ['failed', false],
    ['failed', false],
    ['delivered', false],
    ['failed', false],
    // Neither end: it waits.
    ['delayed', false],
    ['failed', false],
    ['failed', true],
  ])
  const { json } = await postern.call('SuppressionPresent', { EmailAddress: 'carol@scripted.test' })
  assert.deepEqual(json, { Present: true })
})

test('AT-74: failures of another account, or of another spelling, are not in that row (Q6b)', async () => {
  verdict = '554 5.2.2 no'
  const failures = []
  for (const [recipient, login] of [
    ['frank@scripted.test'],
    ['frank@scripted.test'],
    ['frank@scripted.test', 'other@localhost:other-password'],
    ['frank+shop@scripted.test'],
  ] as const) {
    failures.push((await eventOf(recipient, login)).Suppressing)
  }
  assert.deepEqual(failures, [false, false, false, false])
})

test('AT-69: each recipient of a shared transaction is looked up; only those who are not suppressed are in it', async () => {
  verdict = '250 ok'
  await postern.call('SuppressionAdd', { EmailAddress: 'dan@scripted.test' })
  const { connections, commands } = remote
  const before = { connections, commands: commands.length }
  // A login without FromIDs: messages with senders of their own go alone.
  const ids = await send(
    ['eve@scripted.test', 'dan@scripted.test', 'fay@scripted.test'],
    'postern+x@localhost:posternpostern',
  )
  const events = await Promise.all(ids.map(eventAbout))
  assert.deepEqual(
    events.map(({ Event, Suppressing }) => [Event, Suppressing]),
    [
      ['delivered', false],
      ['suppressed', false],
      ['delivered', false],
    ],
  )
  assert.equal(remote.connections - before.connections, 1)
  const said = commands.slice(before.commands)
  assert.equal(said.filter((command) => command.startsWith('MAIL FROM')).length, 1)
  assert.deepEqual(said.filter((command) => command.startsWith('RCPT TO')).sort(), [
    'RCPT TO:<eve@scripted.test>',
    'RCPT TO:<fay@scripted.test>',
  ])
})

async function send(recipients: readonly string[], login = 'postern@localhost:posternpostern') {
  const To = recipients.map((Address) => ({ Address }))
  const answer = await postern.post('Send', JSON.stringify({ To, Text: 'x' }), {
    'content-type': 'application/json',
    authorization: `Basic ${btoa(login)}`,
  })
  const { Submissions } = (await answer.json()) as { Submissions: { QueueMsgID: number }[] }
  return Submissions.map(({ QueueMsgID }) => QueueMsgID)
}

/** Sends a message and answers the first event of it. */
async function eventOf(recipient: string, login?: string): Promise<Record<string, unknown>> {
  const [id = 0] = await send([recipient], login)
  return await eventAbout(id)
}

async function eventAbout(id: number): Promise<Record<string, unknown>> {
  return await eventually(`an event of ${id}`, () => {
    return application.calls.find(({ json }) => json.QueueMsgID === id)?.json
  })
}
