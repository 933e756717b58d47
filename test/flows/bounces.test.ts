import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { formatInstant } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out`, Authorization: '', Events: [] },
    IncomingWebhook: { URL: `${application.url}/in`, Authorization: '' },
  })
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

interface Sent {
  readonly id: number
  readonly fromId: string
}

/** With the Message-ID under which it was sent. */
interface SentWithFromId extends Sent {
  readonly messageId: string
}

const actions = [
  { action: 'delayed', status: '4.4.1', code: 400, enhancedCode: '4.4.1' },
  { action: 'relayed', status: '2.0.0', code: 0, enhancedCode: '' },
  { action: 'delivered', status: '2.0.0', code: 0, enhancedCode: '' },
  { action: 'expanded', status: '2.0.0', code: 0, enhancedCode: '' },
  {
    action: 'failed',
    status: '5.0.0',
    diagnostic: 'smtp; 554 5.0.0 no',
    code: 554,
    enhancedCode: '5.0.0',
    error: '554 5.0.0 no',
  },
]
for (const { action, code, enhancedCode, error = '', ...fields } of actions) {
  test(`AT-47: a notification that says ${action} is that event of its message, field for field, found by FromID`, async () => {
    const sent = await send(`${action}@remote.test`)
    await deliverRaw(
      postern.smtpPort,
      '',
      `postern+${sent.fromId.toUpperCase()}@localhost`,
      dsn({ action, ...fields }),
    )
    await eventOf(sent, true)
    assertTold(sent, { event: action, dsn: true, code, enhancedCode, error })
  })
}

test('a late failure makes a delivered message a failed one, and suppresses where the code says so', async () => {
  const sent = await send('late@remote.test')
  const failed = { action: 'failed', status: '5.1.1', diagnostic: 'smtp; 550-5.1.1 no such user' }
  await deliverRaw(postern.smtpPort, '', `postern+${sent.fromId}@localhost`, dsn(failed))
  const event = await eventOf(sent, true)
  assert.deepEqual([event.Event, event.SMTPCode, event.Suppressing], ['failed', 550, true])
  assert.match(String(event.Error), /no such user/)
  const row = await storesOf(postern.table).queue.read('postern', sent.id as RowId)
  assert.equal(row?.retired?.success, false)
  assert.deepEqual(
    row?.results.map(({ status, notification }) => [status, notification]),
    [
      ['success', undefined],
      ['permanent', 'failed'],
    ],
  )
  const present = await postern.call('SuppressionPresent', { EmailAddress: 'late@remote.test' })
  assert.deepEqual(present.json, { Present: true })
})

test('AT-74: messages that were accepted and failed later are failures in a row too (Q6)', async () => {
  const failed = { action: 'failed', status: '5.2.2', diagnostic: 'smtp; 554 5.2.2 mailbox full' }
  const told = []
  for (let messages = 0; messages < 3; messages++) {
    const sent = await send('full@remote.test')
    await deliverRaw(postern.smtpPort, '', `postern+${sent.fromId}@localhost`, dsn(failed))
    told.push((await eventOf(sent, true)).Suppressing)
  }
  assert.deepEqual(told, [false, false, true])
})

test('a notification that comes to another address is found by the envelope id that it returns (RFC 3461 §4.4)', async () => {
  const sent = await send('envid@remote.test')
  const message = dsn({ action: 'failed', status: '5.2.2', envelopeId: sent.fromId })
  await deliverRaw(postern.smtpPort, '', 'postern@localhost', message)
  assert.equal((await eventOf(sent, true)).Event, 'failed')
})

test('a notification to an address without FromID is found by the Message-ID, of several recipients by the named one', async () => {
  const MessageID = '<order-18@localhost>'
  const authorization = `Basic ${Buffer.from('postern+plain@localhost:posternpostern').toString('base64')}`
  const To = ['one@remote.test', 'two@remote.test', 'three@else.test'].map((Address) => ({ Address }))
  const answer = await postern.post('Send', JSON.stringify({ To, Text: 'x', MessageID }), {
    'content-type': 'application/json',
    authorization,
  })
  const { Submissions } = (await answer.json()) as { Submissions: { QueueMsgID: number }[] }
  const sent = Submissions.map(({ QueueMsgID }) => ({ id: QueueMsgID, fromId: '' }))
  await eventually('all are delivered', () => sent.every((each) => events(each).length === 1))

  const status = { action: 'failed', status: '5.2.2', messageId: MessageID, recipient: 'TWO@remote.test' }
  await deliverRaw(postern.smtpPort, '', 'postern@localhost', dsn(status))
  const second = sent[1] ?? assert.fail('no second')
  assert.equal((await eventOf(second, true)).Event, 'failed')
  assert.deepEqual(
    sent.map((each) => events(each).length),
    [1, 2, 1],
  )
})

test('AT-46, AT-48: of two recipients, or an unknown action, it is unrecognized', async () => {
  for (const message of [
    dsn({ action: 'failed', status: '5.0.0' }, 2),
    dsn({ action: 'lost', status: '2.0.0' }),
  ]) {
    const sent = await send('unclear@remote.test')
    await deliverRaw(postern.smtpPort, '', `postern+${sent.fromId}@localhost`, message)
    await eventOf(sent, true)
    assertTold(sent, { event: 'unrecognized', dsn: true })
  }
})

test('AT-49: a plain message to a FromID is unrecognized, and no incoming call', async () => {
  const sent = await send('away@remote.test')
  const subject = `I am away ${sent.id}`
  const answer = `From: away@remote.test\r\nSubject: ${subject}\r\n\r\nuntil Monday\r\n`
  await deliverRaw(postern.smtpPort, '', `postern+${sent.fromId}@localhost`, answer)
  await eventually('unrecognized', () => events(sent).find(({ Event }) => Event === 'unrecognized'))
  assertTold(sent, { event: 'unrecognized', dsn: false })
  const mails = await postern.admin.get<{ Subject: string }[]>('/mail')
  assert.equal(mails.filter(({ Subject }) => Subject === subject).length, 1, 'it stays in the mailbox')
  assert.deepEqual(
    application.calls.filter(({ path, json }) => path === '/in' && json.Subject === subject),
    [],
  )
})

test('AT-45: a notification that names no message of the account is incoming mail', async () => {
  const forged = `postern+${'a'.repeat(26)}@localhost`
  const message = dsn({ action: 'failed', status: '5.0.0', subject: 'of somebody else' })
  await deliverRaw(postern.smtpPort, '', forged, message)
  const call = await eventually('an incoming call', () =>
    application.calls.find(({ path, json }) => path === '/in' && json.Subject === 'of somebody else'),
  )
  assert.equal((call.json.Meta as { Automated: boolean }).Automated, true)
})

async function send(recipient: string): Promise<SentWithFromId> {
  const { json } = await postern.call('Send', {
    To: [{ Address: recipient }],
    Text: 'x',
    Extra: { order: '17' },
  })
  const [{ QueueMsgID = 0, FromID = '' } = {}] = json.Submissions as { QueueMsgID: number; FromID: string }[]
  const sent = { id: QueueMsgID, fromId: FromID, messageId: String(json.MessageID) }
  await eventually('it is delivered', () => events(sent).some(({ Event }) => Event === 'delivered'))
  return sent
}

function events({ id }: Sent): readonly Record<string, unknown>[] {
  return application.calls
    .filter(({ path, json }) => path === '/out' && json.QueueMsgID === id)
    .map(({ json }) => json)
}

/** The last call about a message must say exactly this, in the order of mox. */
function assertTold(
  { id, fromId, messageId }: SentWithFromId,
  wanted: {
    readonly event: string
    readonly dsn: boolean
    readonly code?: number
    readonly enhancedCode?: string
    readonly error?: string
  },
): void {
  const last = application.calls.findLast(({ path, json }) => path === '/out' && json.QueueMsgID === id)
  const { event, dsn, code = 0, enhancedCode = '', error = '' } = wanted
  const json =
    `{"Version":0,"Event":"${event}","DSN":${dsn},"Suppressing":false,"QueueMsgID":${id},"FromID":"${fromId}",` +
    `"MessageID":"${messageId}","Subject":"","WebhookQueued":"${last?.json.WebhookQueued}",` +
    `"SMTPCode":${code},"SMTPEnhancedCode":"${enhancedCode}","Error":"${error}","Extra":{"order":"17"}}`
  assert.equal(last?.text, json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'))
  assert.match(String(last?.json.WebhookQueued), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
}

async function eventOf(sent: Sent, dsn: boolean): Promise<Record<string, unknown>> {
  return await eventually('an event of a notification', () => events(sent).find(({ DSN }) => DSN === dsn))
}

interface StatusFields {
  readonly action: string
  readonly status: string
  readonly diagnostic?: string
  readonly envelopeId?: string
  readonly subject?: string
  readonly recipient?: string
  /** That of the returned message, whose header is in the third part. */
  readonly messageId?: string
}

/** A notification (RFC 3464) as another server writes it. */
function dsn(
  { action, status, diagnostic, envelopeId, messageId, ...more }: StatusFields,
  recipients = 1,
): string {
  const { subject = 'Returned mail', recipient = 'someone@remote.test' } = more
  const block = [
    `Final-Recipient: rfc822; ${recipient}`,
    `Action: ${action}`,
    `Status: ${status}`,
    ...(diagnostic ? [`Diagnostic-Code: ${diagnostic}`] : []),
    `Last-Attempt-Date: ${formatInstant(0)}`,
    '',
  ]
  return [
    'From: MAILER-DAEMON@remote.test',
    `Subject: ${subject}`,
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
    ...(envelopeId ? [`Original-Envelope-Id: ${envelopeId}`] : []),
    '',
    ...Array.from({ length: recipients }, () => block).flat(),
    ...(messageId ? ['--b', 'Content-Type: text/rfc822-headers', '', `Message-ID: ${messageId}`, ''] : []),
    '--b--',
    '',
  ].join('\r\n')
}
