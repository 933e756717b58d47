import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { type MailToSubmit, submitMessage } from '../support/submit-message.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// Submission (RFC 6409) over its port, to its end: what is told of the messages, and what comes back.

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out` },
    IncomingWebhook: { URL: `${application.url}/in` },
  })
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('a submission is delivered, and its events carry the extra data and the Message-ID with brackets (AT-57, Q22)', async () => {
  const message = 'From: postern@localhost\r\nSubject: Submitted\r\nX-Mox-Extra-order: 17\r\n\r\nhello\r\n'
  assert.equal(await submit(['<ann@remote.test>', '<bob@remote.test>'], { message }), undefined)
  const events = await eventually('both are delivered', () => {
    const found = application.calls.filter(
      ({ path, json }) => path === '/out' && json.Subject === 'Submitted',
    )
    return found.length === 2 && found.map(({ json }) => json)
  })
  for (const event of events) {
    assert.deepEqual([event.Event, event.FromID, event.Extra], ['delivered', '', { Order: '17' }])
    assert.match(String(event.MessageID), /^<[A-Za-z0-9_-]{22}@localhost>$/)
  }
  const mails = await postern.admin.get<{ MessageID: string }[]>('/mail')
  assert.equal(mails.filter(({ MessageID }) => MessageID === events[0]?.MessageID).length, 2)
})

test('AT-58: of many that choose one FromID at a time, one message is queued', async () => {
  const from = '<postern+order-17@localhost>'
  const message = 'From: postern@localhost\r\nSubject: Only one\r\n\r\nhello\r\n'
  const login = 'postern@localhost'
  const results = await Promise.all(
    Array.from({ length: 8 }, () => submit(['<ann@remote.test>'], { login, from, message })),
  )
  const refusals = results.filter((refusal) => refusal !== undefined)
  assert.equal(refusals.length, 7)
  for (const { reply } of refusals)
    assert.match(reply, /^554 5\.1\.7 MAIL FROM: its unique part was used before/)
  const delivered = await eventually('delivered', () => eventOf('Only one', 'delivered'))
  assert.equal(delivered.FromID, 'order-17')
})

test('AT-58: a chosen FromID for several recipients is refused with 554 5.5.3', async () => {
  const chosen = { login: 'postern@localhost', from: '<postern+several@localhost>' }
  const answer = await submit(['<ann@remote.test>', '<bob@remote.test>'], chosen)
  assert.equal(answer?.stage, 'data')
  assert.match(answer?.reply ?? '', /^554 5\.5\.3 /)
})

test('a bounce to a chosen FromID is an event of its message, in any case', async () => {
  const message = 'From: postern@localhost\r\nSubject: Chosen\r\n\r\nhello\r\n'
  const from = '<postern+Order-18@localhost>'
  assert.equal(await submit(['<ann@remote.test>'], { login: 'postern@localhost', from, message }), undefined)
  const delivered = await eventually('delivered', () => eventOf('Chosen', 'delivered'))
  assert.equal(delivered.FromID, 'Order-18')

  await deliverRaw(postern.smtpPort, '', 'POSTERN+ORDER-18@localhost', BOUNCE)
  const failed = await eventually('failed', () => eventOf('Chosen', 'failed'))
  assert.deepEqual(
    [failed.QueueMsgID, failed.DSN, failed.SMTPCode, failed.FromID],
    [delivered.QueueMsgID, true, 550, 'Order-18'],
  )
})

test('mail to a suffix that nobody chose is ordinary mail', async () => {
  await deliverRaw(postern.smtpPort, '', 'postern+nobody-chose@localhost', BOUNCE)
  const incoming = () =>
    application.calls.find(({ path, json }) => path === '/in' && json.Subject === 'Returned')
  const { json } = await eventually('an incoming call', incoming)
  assert.equal((json.Meta as { RcptTo: string }).RcptTo, 'postern+nobody-chose@localhost')
})

test('NOTIFY=SUCCESS: a notice says relayed, with ENVID and ORCPT (RFC 3461 §5.2.2)', async () => {
  const to = '<carla@remote.test> NOTIFY=SUCCESS ORCPT=rfc822;Carla@first.test'
  const from = '<postern@localhost> ENVID=order+2019'
  assert.equal(await submit([to], { from, message: messageNamed('dsn-1') }), undefined)
  const notice = await eventually('the notice', () => noticeOf('<dsn-1@localhost>', 'mail relayed'))
  assert.match(notice, /^Original-Envelope-Id: order 19\r\n/m)
  assert.match(notice, /^Original-Recipient: rfc822;Carla@first\.test\r\n/m)
  assert.match(notice, /^Action: relayed\r\nStatus: 2\.\d+\.\d+\r\n/m)
})

test('NOTIFY=NEVER: a failure is an event and no notice; NOTIFY=FAILURE with RET=FULL returns the message (RFC 3461 §4)', async () => {
  const to = '<queue-doris+permerror@remote.test>'
  assert.equal(await submit([`${to} NOTIFY=NEVER`], { message: messageNamed('dsn-2') }), undefined)
  await eventually('failed', () => eventOf('dsn-2', 'failed'))
  // On the suppression list now; that is a failure too.
  const full = { from: '<postern@localhost> RET=FULL', message: messageNamed('dsn-3') }
  assert.equal(await submit([`${to} NOTIFY=FAILURE`], full), undefined)
  const notice = await eventually('the notice', () => noticeOf('<dsn-3@localhost>', 'mail delivery failed'))
  assert.match(notice, /Content-Type: message\/rfc822\r\n[\s\S]*\r\n\r\nwhole text\r\n/)
  assert.equal(await noticeOf('<dsn-2@localhost>', 'mail delivery failed'), undefined)
})

const DAY_MS = 86_400_000
const inDays = (days: number) => `${new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 19)}Z`
const releases: readonly (readonly [wish: string, parameters: string, code?: number])[] = [
  ['one second', 'HOLDFOR=1'],
  ['60 days', 'HOLDFOR=5184000'],
  ['a time within them', `HOLDUNTIL=${inDays(59)}`],
  ['zero', 'HOLDFOR=0', 501],
  ['less', 'HOLDFOR=-1', 501],
  ['no value', 'HOLDFOR=', 501],
  ['no time', 'HOLDUNTIL=tomorrow', 501],
  ['a time that is not in UTC', `HOLDUNTIL=${inDays(1).replace('Z', '+01:00')}`, 501],
  ['one parameter twice', 'HOLDFOR=1 HOLDFOR=1', 501],
  ['both parameters', `HOLDFOR=1 HOLDUNTIL=${inDays(1)}`, 501],
  ['more than 60 days', 'HOLDFOR=5184001', 554],
  ['a time that has passed', `HOLDUNTIL=${inDays(-1)}`, 554],
  ['a time beyond 60 days', `HOLDUNTIL=${inDays(61)}`, 554],
]
for (const [wish, parameters, code] of releases) {
  test(`AT-59: to release after ${wish} is ${code ?? 'accepted'} (RFC 4865)`, async () => {
    const answer = await submit(['<later@remote.test>'], { from: `<postern@localhost> ${parameters}` })
    assert.equal(answer?.stage, code && 'mail')
    if (code) assert.match(answer?.reply ?? '', new RegExp(`^${code} 5\\.5\\.4 `))
  })
}

test('AT-60: who reaches a daily limit hears 451 4.7.1, and nothing is queued', async () => {
  await postern.admin.patch('/accounts/postern', { MaxOutgoingMessagesPerDay: 1 })
  // A running listener may work with options that are five seconds old.
  await sleep(5_000)
  const answer = await submit(['<a@remote.test>', '<b@remote.test>'], { message: messageNamed('too-many') })
  assert.match(answer?.reply ?? '', /^451 4\.7\.1 the account may send 1 messages within 24 hours/)
  const queued = await postern.admin.get<{ Subject: string }[]>('/queue')
  assert.ok(!queued.some(({ Subject }) => Subject === 'too-many'))
})

test('a chosen FromID whose time is over can be chosen again, though DynamoDB still has it', async () => {
  const { queue } = storesOf(postern.table)
  const id = eventOf('Chosen', 'delivered')?.QueueMsgID
  const row = (await queue.read('postern', id as RowId)) ?? assert.fail('no row')
  const past = Date.now() - 60_000
  const old = { ...row, id: (row.id + 4096) as typeof row.id, fromId: 'expired' }
  assert.equal(await queue.addWithChosen(old, past), 'added')
  assert.equal(await queue.sentWithChosen('postern', 'expired'), undefined)
  const again = { ...old, id: (row.id + 8192) as typeof row.id }
  assert.equal(await queue.addWithChosen(again, Date.now() + 60_000), 'added')
  assert.equal(
    await queue.addWithChosen(again, Date.now() + 60_000),
    'added',
    'written twice is written once',
  )
  assert.equal(await queue.sentWithChosen('postern', 'EXPIRED'), again.id)
  const third = { ...old, id: (row.id + 12_288) as typeof row.id }
  assert.equal(await queue.addWithChosen(third, Date.now() + 60_000), 'FromID used')
  assert.equal(await queue.read('postern', third.id), undefined)
  const sameId = { ...again, fromId: 'other' }
  assert.equal(await queue.addWithChosen(sameId, Date.now() + 60_000), 'id taken')
  assert.equal(await queue.sentWithChosen('postern', 'other'), undefined)
})

async function submit(to: readonly string[], more: Partial<MailToSubmit> = {}) {
  return await submitMessage({ port: postern.submissionPort, to, ...more })
}

function messageNamed(name: string): string {
  return `From: postern@localhost\r\nMessage-ID: <${name}@localhost>\r\nSubject: ${name}\r\n\r\nwhole text\r\n`
}

function eventOf(subject: string, event: string): Record<string, unknown> | undefined {
  return application.calls.find(({ json }) => json.Subject === subject && json.Event === event)?.json
}

/** The raw notice about that message, if there is one. */
async function noticeOf(messageId: string, subject: string): Promise<string | undefined> {
  const mails = await postern.admin.get<{ MsgID: number; Subject: string }[]>('/mail')
  for (const { MsgID } of mails.filter((mail) => mail.Subject === subject)) {
    const raw = await postern.post('MessageRawGet', JSON.stringify({ MsgID }), {
      'content-type': 'application/json',
    })
    const text = await raw.text()
    if (text.includes(`References: ${messageId}`)) return text
  }
  return undefined
}

const BOUNCE = [
  'From: MAILER-DAEMON@remote.test',
  'Subject: Returned',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
  '',
  '--b',
  '',
  'It was not to be.',
  '--b',
  'Content-Type: message/delivery-status',
  '',
  'Reporting-MTA: dns; mx.remote.test',
  '',
  'Final-Recipient: rfc822; ann@remote.test',
  'Action: failed',
  'Status: 5.1.1',
  'Diagnostic-Code: smtp; 550 5.1.1 no such user',
  '',
  '--b--',
  '',
].join('\r\n')
