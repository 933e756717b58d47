import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../../infra/local/free-port.ts'
import { eventually } from '../../scripts/eventually.ts'
import { changeItem, getItem, queryItems } from '../../shared/adapters/aws/dynamo.ts'
import { expiresAtSeconds, keys } from '../../shared/adapters/aws/table.ts'
import { DAY, formatInstant, HOUR, MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { type ScriptedServer, scriptedServer } from '../adapters/net/scripted-server.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type ReceivedCall, type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
/** The remote servers, by the domain whose mail is routed to them. */
let remote: { readonly 'accepts.test': ScriptedServer; readonly 'unknown.test': ScriptedServer }
const heldCall = Promise.withResolvers<void>()
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

/** `postern` keeps what is done for 72 hours and hears of it; `bare` does neither. */
const logins = {
  postern: 'postern+x@localhost:posternpostern',
  fromId: 'postern@localhost:posternpostern',
  bare: 'bare@localhost:bare-password',
} as const

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(context, async ({ json }) => {
    if (json.Subject === 'held call') await heldCall.promise
    return 200
  })
  const { admin } = postern
  await admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out`, Authorization: 'Bearer out' },
    IncomingWebhook: { URL: `${application.url}/in` },
  })
  await admin.put('/accounts/bare', { Addresses: ['bare@localhost'], Password: 'bare-password' })
  const refusing = (answer: string) => (command: string) =>
    command.startsWith('MAIL FROM') ? answer : undefined
  remote = {
    'accepts.test': await scriptedServer(context, {
      reply: (command) => (command === '.' ? '250 2.6.0 queued' : undefined),
    }),
    'unknown.test': await scriptedServer(context, { reply: refusing('550 5.1.0 no such sender') }),
  }
  const refuses = await scriptedServer(context, { reply: refusing('554 5.1.0 not from there') })
  await route({
    'accepts.test': remote['accepts.test'].port,
    'unknown.test': remote['unknown.test'].port,
    'refuses.test': refuses.port,
    'closed.test': await findFreePort('127.0.0.1'),
  })
  // A running function may work with options that are five seconds old.
  await sleep(5_000)
})
after(async () => {
  heldCall.resolve()
  for (const end of ends.reverse()) await end()
})

test('AT-33: a delivery empties the queue, and is no reason for a notice', async () => {
  const [id] = await send('postern', 'ann@accepts.test')
  const row = await done('postern', id)
  assert.deepEqual([row.retired?.success, row.owed], [true, undefined])
  await eventually('an empty queue', async () => (await postern.admin.get<[]>('/queue')).length === 0)
  assert.deepEqual(await postern.admin.get('/mail'), [])
})

test('AT-34, AT-35: one connection and one transaction for each domain, although one relay takes both', async () => {
  const { connections, commands } = remote['accepts.test']
  const before = { connections, commands: commands.length }
  const ids = await send('postern', 'a@one.accepts.test', 'b@two.accepts.test', 'c@one.accepts.test')
  const [a, , c] = await Promise.all(ids.map((id) => done('postern', id)))
  assert.equal(remote['accepts.test'].connections - before.connections, 2)
  const said = commands.slice(before.commands)
  assert.equal(said.filter((command) => command.startsWith('MAIL FROM')).length, 2)
  assert.deepEqual(said.filter((command) => command.startsWith('RCPT TO')).sort(), [
    'RCPT TO:<a@one.accepts.test>',
    'RCPT TO:<b@two.accepts.test>',
    'RCPT TO:<c@one.accepts.test>',
  ])
  assert.equal(a?.retired?.lastActivityAt, c?.retired?.lastActivityAt, 'they ended together')
})

test('AT-30: a failed dial is attempt 1, told as delayed without a code; the next one comes in 7.5 minutes', async () => {
  const [id] = await send('postern', 'ann@closed.test')
  const { json: event } = await eventOf(id)
  assert.deepEqual([event.Event, event.SMTPCode, event.SMTPEnhancedCode], ['delayed', 0, ''])
  assert.match(String(event.Error), /connection refused/)
  interface Listed {
    readonly ID: number
    readonly Attempts: number
    readonly NextAttempt: string
    readonly LastAttempt: string
    readonly Results: readonly { Success: boolean; Code: number; Secode: string; Error: string }[]
  }
  const listed = await eventually('it is listed', async () =>
    (await postern.admin.get<Listed[]>('/queue')).find(({ ID }) => ID === id),
  )
  assert.equal(listed.Attempts, 1)
  assert.deepEqual(
    listed.Results.map(({ Success, Code, Secode, Error: error }) => [Success, Code, Secode, error]),
    [[false, 0, '', event.Error]],
  )
  const waitMs = Date.parse(listed.NextAttempt) - Date.parse(listed.LastAttempt)
  assert.ok(Math.abs(waitMs - 7.5 * MINUTE) <= 5 * SECOND, String(waitMs))
})

const outcomes = [
  {
    rule: 'AT-41a: accepted',
    domain: 'accepts.test',
    result: { success: true, code: 250, enhancedCode: '2.6.0', error: /^$/ },
    event: { Event: 'delivered', SMTPCode: 0, SMTPEnhancedCode: '', Suppressing: false },
  },
  {
    rule: 'AT-41b: refused by 554 5.1.0 on MAIL FROM',
    domain: 'refuses.test',
    result: { success: false, code: 554, enhancedCode: '5.1.0', error: /not from there/ },
    event: { Event: 'failed', SMTPCode: 554, SMTPEnhancedCode: '5.1.0', Suppressing: false },
  },
  {
    rule: 'AT-41c: refused by 550 5.1.0 on MAIL FROM',
    domain: 'unknown.test',
    result: { success: false, code: 550, enhancedCode: '5.1.0', error: /no such sender/ },
    event: { Event: 'failed', SMTPCode: 550, SMTPEnhancedCode: '5.1.0', Suppressing: true },
  },
]
for (const { rule, domain, result, event } of outcomes) {
  test(`${rule}: retired with the reply, for 72 hours, and told once`, async () => {
    const [id] = await send('postern', `ann@${domain}`)
    const row = await done('postern', id)
    assertEnd(row, result)
    const { keepUntil = 0, lastActivityAt = 0 } = row.retired ?? {}
    assert.equal(keepUntil - lastActivityAt, 72 * HOUR)
    await eventually('the retired list has it', async () => (await listed('/queue/retired')).has(id))

    const { json } = await eventOf(id)
    const { Event, SMTPCode, SMTPEnhancedCode, Suppressing } = json
    assert.deepEqual({ Event, SMTPCode, SMTPEnhancedCode, Suppressing }, event)
    assert.match(String(json.Error), result.error)
    const calls = await callsAbout('postern', id)
    assert.deepEqual(
      calls.map((call) => call.event),
      [event.Event],
    )
  })

  test(`${rule}, of an account that keeps nothing and has no webhook: no retired record, no call`, async () => {
    const [id] = await send('bare', `ann@${domain}`)
    const row = await done('bare', id)
    assertEnd(row, result)
    assert.equal(row.retired?.keepUntil, 0)
    const item = await getItem(postern.table, keys.message('bare', id))
    assert.deepEqual([item?.state, item?.retired, item?.retiredAt], ['done', undefined, undefined])
    assert.deepEqual(await callsAbout('bare', id), [])
    assert.ok(!application.calls.some(({ json }) => json.QueueMsgID === id))
  })
}

test('AT-41d: the next message to a suppressed recipient fails without a connection', async () => {
  const { connections } = remote['unknown.test']
  const [id] = await send('postern', 'ann@unknown.test')
  const { json } = await eventOf(id)
  assert.deepEqual([json.Event, json.SMTPCode, json.Suppressing], ['suppressed', 0, false])
  assert.match(String(json.Error), /ann@unknown\.test is on the suppression list/)
  const row = await done('postern', id)
  assertEnd(row, { success: false, code: 0, enhancedCode: '', error: /suppression list/ })
  assert.equal(remote['unknown.test'].connections, connections)
})

test('AT-41f: until it is made, a call is kept with its receiver, what it is about and zero attempts', async () => {
  // Calls to one URL go one after the other.
  const [first] = await send('postern', { Subject: 'held call' }, 'ann@accepts.test')
  await eventOf(first)
  const [id] = await send(
    'fromId',
    { Subject: 'Order 17', MessageID: '<order-17@localhost>', Extra: { order: '17' } },
    'ann@accepts.test',
  )
  const { fromId } = await done('postern', id)
  const [call] = await eventually('the waiting call', async () => {
    const calls = await callsAbout('postern', id)
    return calls.length > 0 && calls
  })
  assert.ok(call)
  const { url, authorization, messageId, subject, extra, event, queueMsgId } = call
  assert.deepEqual(
    { url, authorization, messageId, subject, extra, event, queueMsgId, fromId: call.fromId },
    {
      url: `${application.url}/out`,
      authorization: 'Bearer out',
      messageId: '<order-17@localhost>',
      subject: 'Order 17',
      extra: { order: '17' },
      event: 'delivered',
      queueMsgId: id,
      fromId,
    },
  )
  assert.deepEqual([call.state, call.attempts, call.results], ['waiting', 0, []])
  assert.match(fromId, /^[a-z2-7]{26}$/)

  heldCall.resolve()
  const made = await eventOf(id)
  assert.equal(made.headers['x-mox-webhook-id'], String(call.id))
  assert.deepEqual(call.body, { json: made.text })
})

test('AT-41g: past its keep time no list shows a retired message, and a late bounce still finds it', async () => {
  const [id] = await send('fromId', 'ann@accepts.test')
  const { fromId } = await done('postern', id)
  await eventOf(id)
  await eventually('the retired list has it', async () => (await listed('/queue/retired')).has(id))
  await changeItem(postern.table, {
    key: keys.message('postern', id),
    update: 'SET #keepUntil = :keepUntil',
    values: { keepUntil: formatInstant(Date.now() - SECOND) },
  })
  assert.ok(!(await listed('/queue/retired')).has(id))
  await assert.rejects(postern.admin.get(`/queue/postern/${id}`), { message: `there is no postern/${id}` })
  assert.ok(await storesOf(postern.table).queue.read('postern', id))

  await deliverRaw(postern.smtpPort, '', `postern+${fromId}@localhost`, bounce(`bounce of ${id}`))
  await eventually('the event of the bounce', () =>
    application.calls.find(({ json }) => json.QueueMsgID === id && json.Event === 'failed' && json.DSN),
  )
})

test('AT-41g: once it has expired a retired message is gone for every reader, also before the database deletes it', async () => {
  const [id] = await send('fromId', 'ann@accepts.test')
  const { fromId } = await done('postern', id)
  await eventOf(id)
  const past = Date.now() - SECOND
  await changeItem(postern.table, {
    key: keys.message('postern', id),
    update: 'SET #keepUntil = :keepUntil, #expires = :expires',
    values: { keepUntil: formatInstant(past), expires: expiresAtSeconds(past - SECOND) },
  })
  assert.equal(await storesOf(postern.table).queue.read('postern', id), undefined)

  const subject = `bounce of ${id}`
  await deliverRaw(postern.smtpPort, '', `postern+${fromId}@localhost`, bounce(subject))
  await eventually('an incoming call', () =>
    application.calls.find(({ path, json }) => path === '/in' && json.Subject === subject),
  )
  assert.equal((await callsAbout('postern', id)).length, 1)
})

test('AT-41g: a retired message and its call are listed for their keep time, and removed after 15 days', async () => {
  const [kept] = await send('postern', 'ann@accepts.test')
  const [bare] = await send('bare', 'ann@accepts.test')
  for (const [account, id] of [['postern', kept] as const, ['bare', bare] as const]) await done(account, id)
  const callId = Number((await eventOf(kept)).headers['x-mox-webhook-id']) as RowId
  const areListed = async () => [
    (await listed('/queue/retired')).has(kept),
    (await listed('/webhooks/retired')).has(callId),
  ]
  await eventually('both are listed', async () => !(await areListed()).includes(false))

  const { clock } = postern.local.cloud
  const { queue, calls } = storesOf(postern.table, clock)
  const areKept = async () =>
    (
      await Promise.all([
        queue.read('postern', kept),
        calls.read('postern', callId),
        queue.read('bare', bare),
      ])
    ).map((row) => row !== undefined)
  await clock.advance(71 * HOUR)
  assert.deepEqual(await areListed(), [true, true])
  await clock.advance(HOUR + MINUTE)
  assert.deepEqual(await areListed(), [false, false])
  assert.deepEqual(await areKept(), [true, true, true], 'late bounces still find them')
  await clock.advance(12 * DAY)
  assert.deepEqual(await areKept(), [false, false, false])
  const items = [keys.message('postern', kept), keys.call('postern', callId), keys.message('bare', bare)]
  await eventually('the database has none of them', async () => {
    const found = await Promise.all(items.map((key) => getItem(postern.table, key)))
    return found.every((item) => item === undefined)
  })
})

/** Mail for each domain and all below it goes to that port. */
async function route(ports: Readonly<Record<string, number>>): Promise<void> {
  for (const [domain, Port] of Object.entries(ports)) {
    await postern.admin.put(`/transports/${domain}`, { Host: '127.0.0.1', Port, TLS: 'none' })
  }
  await postern.admin.put(
    '/routes',
    Object.keys(ports).map((domain) => ({ ToDomain: [`.${domain}`], Transport: domain })),
  )
}

type First<Ids> = Ids & readonly [RowId, ...RowId[]]

/** Sends to those addresses, and answers the ids of the messages; an object among them says more of the request. */
async function send(
  login: keyof typeof logins,
  ...words: readonly (string | object)[]
): Promise<First<readonly RowId[]>> {
  const more = words.find((word) => typeof word === 'object')
  const To = words.filter((word) => typeof word === 'string').map((Address) => ({ Address }))
  const answer = await postern.post('Send', JSON.stringify({ To, Text: 'x', ...more }), {
    'content-type': 'application/json',
    authorization: `Basic ${btoa(logins[login])}`,
  })
  const json = (await answer.json()) as { Submissions: { QueueMsgID: RowId }[] }
  assert.equal(answer.status, 200, JSON.stringify(json))
  return json.Submissions.map(({ QueueMsgID }) => QueueMsgID) as unknown as First<readonly RowId[]>
}

async function done(account: 'postern' | 'bare', id: RowId): Promise<QueuedMessage> {
  return await eventually(`${account}/${id} is done`, async () => {
    const row = await storesOf(postern.table).queue.read(account, id)
    return row?.state === 'done' && row
  })
}

interface End {
  readonly success: boolean
  readonly code: number
  readonly enhancedCode: string
  readonly error: RegExp
}

/** One attempt was made, and ended so. */
function assertEnd({ retired, results }: QueuedMessage, { error, ...end }: End): void {
  const [result, second] = results
  assert.equal(second, undefined)
  assert.deepEqual({ success: retired?.success, code: result?.code, enhancedCode: result?.enhancedCode }, end)
  assert.match(result?.error ?? '', error)
}

/** The call that the application got about the message. */
async function eventOf(id: RowId): Promise<ReceivedCall> {
  return await eventually(`an event of ${id}`, () =>
    application.calls.find(({ json }) => json.QueueMsgID === id),
  )
}

/** The calls about a message, done or not, as they are stored: without the lag of an index. */
async function callsAbout(account: 'postern' | 'bare', message: RowId) {
  const partitions = new Set(Array.from({ length: 64 }, (_, id) => keys.call(account, id as RowId).pk))
  const found = await Promise.all(
    [...partitions].map((pk) =>
      queryItems(postern.table, {
        condition: '#pk = :pk',
        filter: '#queueMsgId = :message',
        values: { pk, message },
        limit: 1000,
      }),
    ),
  )
  const { calls } = storesOf(postern.table)
  const rows = await Promise.all(found.flat().map(({ id }) => calls.read(account, id as RowId)))
  return rows.filter((row) => row !== undefined)
}

/** What the API lists of all accounts. */
async function listed(path: '/queue/retired' | '/webhooks/retired'): Promise<ReadonlySet<RowId>> {
  const rows = await postern.admin.get<{ ID: RowId }[]>(`${path}?limit=1000`)
  return new Set(rows.map(({ ID }) => ID))
}

/** A notification (RFC 3464) that somebody gave up. */
function bounce(subject: string): string {
  return [
    `Subject: ${subject}`,
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    ...['', '--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.accepts.test', ''],
    ...['Final-Recipient: rfc822; ann@accepts.test', 'Action: failed', 'Status: 5.0.0', '--b--', ''],
  ].join('\r\n')
}
