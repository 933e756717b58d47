import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseAddress } from '../../shared/address/address.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { MailCommand, RcptCommand } from '../../shared/smtp/commands.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { eventually } from '../support/eventually.ts'
import { submitMessage } from '../support/submit-message.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// Submission (RFC 6409) over the real stores, to its end: what is told of the messages, and what comes back.

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
  assert.equal(await submit(['ann@remote.test', 'bob@remote.test'], { message }), undefined)
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
  const from = 'postern+order-17@localhost'
  const message = 'From: postern@localhost\r\nSubject: Only one\r\n\r\nhello\r\n'
  const login = 'postern@localhost'
  const results = await Promise.all(
    Array.from({ length: 8 }, () => submit(['ann@remote.test'], { login, from, message })),
  )
  const refusals = results.filter((refusal) => refusal !== undefined)
  assert.equal(refusals.length, 7)
  for (const { code, enhancedCode } of refusals) assert.deepEqual([code, enhancedCode], [554, '5.1.7'])
  const delivered = await eventually('delivered', () => eventOf('Only one', 'delivered'))
  assert.equal(delivered.FromID, 'order-17')
})

test('a bounce to a chosen FromID is an event of its message, in any case', async () => {
  const message = 'From: postern@localhost\r\nSubject: Chosen\r\n\r\nhello\r\n'
  const from = 'postern+Order-18@localhost'
  assert.equal(await submit(['ann@remote.test'], { login: 'postern@localhost', from, message }), undefined)
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
  const recipient = {
    address: parseAddress('carla@remote.test'),
    notify: ['SUCCESS'],
    originalRecipient: 'rfc822;Ann@first.test',
  } as const
  const message =
    'From: postern@localhost\r\nMessage-ID: <dsn-1@localhost>\r\nSubject: Tell me\r\n\r\nhello\r\n'
  assert.equal(await submit([recipient], { message, mail: { envelopeId: 'order 19' } }), undefined)
  const notice = await eventually('the notice', () => noticeOf('<dsn-1@localhost>', 'mail relayed'))
  assert.match(notice, /^Original-Envelope-Id: order 19\r\n/m)
  assert.match(notice, /^Original-Recipient: rfc822;Ann@first\.test\r\n/m)
  assert.match(notice, /^Action: relayed\r\nStatus: 2\.\d+\.\d+\r\n/m)
})

test('NOTIFY=NEVER: a failure is an event and no notice; NOTIFY=FAILURE with RET=FULL returns the message (RFC 3461 §4)', async () => {
  const address = parseAddress('doris+permerror@remote.test')
  const message = (name: string) =>
    `From: postern@localhost\r\nMessage-ID: <${name}@localhost>\r\nSubject: ${name}\r\n\r\nwhole text\r\n`
  assert.equal(await submit([{ address, notify: [] }], { message: message('dsn-2') }), undefined)
  await eventually('failed', () => eventOf('dsn-2', 'failed'))
  // On the suppression list now; that is a failure too.
  const full = { return: 'FULL' } as const
  assert.equal(
    await submit([{ address, notify: ['FAILURE'] }], { message: message('dsn-3'), mail: full }),
    undefined,
  )
  const notice = await eventually('the notice', () => noticeOf('<dsn-3@localhost>', 'mail delivery failed'))
  assert.match(notice, /Content-Type: message\/rfc822\r\n[\s\S]*\r\n\r\nwhole text\r\n/)
  assert.equal(await noticeOf('<dsn-2@localhost>', 'mail delivery failed'), undefined)
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

interface Submitted {
  /** A login with a suffix has no unique senders. */
  readonly login?: string
  readonly from?: string
  readonly message: string
  readonly mail?: Partial<MailCommand>
}

async function submit(recipients: readonly (string | RcptCommand)[], submitted: Submitted) {
  const { login = 'postern+x@localhost', from = 'postern@localhost', message, mail = {} } = submitted
  return await submitMessage(postern, {
    login,
    mail: { address: parseAddress(from), ...mail },
    recipients: recipients.map((each) => (typeof each === 'string' ? { address: parseAddress(each) } : each)),
    message,
  })
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
