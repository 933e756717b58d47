import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import { queryItems } from '../../shared/adapters/aws/dynamo.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import type { QueuedCallJson, RetiredCallJson } from '../../shared/admin/call-json.ts'
import type { MailJson } from '../../shared/admin/mails.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { formatInstant, HOUR, MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { WebhookCall } from '../../shared/webhook/webhook-call.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type ReceivedCall, type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// What applications are told, word for word, and what becomes of a call that they refuse.

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

/** `postern` hears of everything and keeps what is done for 72 hours, `brief` keeps nothing, `bare` has no webhook. */
const logins = {
  postern: 'postern@localhost:posternpostern',
  brief: 'brief@localhost:brief-password',
  bare: 'bare@localhost:bare-password',
} as const
type Login = keyof typeof logins

/** What the application answers to the outgoing events of a message with that subject; 200 to all others. */
const answers = new Map<unknown, (call: ReceivedCall) => number>()
/** The 512th byte is the first half of a character. */
const LONG_ANSWER = `no ${'ü'.repeat(300)}`

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(
    context,
    (call) => (call.path !== '/in' && answers.get(call.json.Subject)?.(call)) || 200,
    LONG_ANSWER,
  )
  const { admin } = postern
  await admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out`, Authorization: 'Bearer out' },
    IncomingWebhook: { URL: `${application.url}/in`, Authorization: '' },
  })
  for (const name of ['brief', 'bare']) {
    await admin.put(`/accounts/${name}`, { Addresses: [`${name}@localhost`], Password: `${name}-password` })
  }
  await admin.patch('/accounts/brief', { OutgoingWebhook: { URL: `${application.url}/brief` } })
  // Beyond what a running function remembers of the options.
  await postern.local.cloud.clock.advance(10 * SECOND)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** As mox writes JSON: safe in HTML. */
function escaped(json: string): string {
  return json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026')
}

interface Incoming {
  readonly rule: string
  readonly mailFrom: string
  readonly subject: string
  readonly message: readonly string[]
  /** The body up to `Meta`. */
  readonly payload: string
  readonly automated: boolean
}

const incoming: readonly Incoming[] = [
  {
    rule: 'a plain text',
    mailFrom: 'ann@remote.test',
    subject: 'Re: Order 17',
    message: [
      'From: =?utf-8?q?Ann_M=C3=BCller?= <ann@remote.test>',
      'To: postern@localhost',
      'Subject: Re: Order 17',
      'Message-ID: <abc@remote.test>',
      'In-Reply-To: <Order-17@localhost>',
      'References: <Order-16@localhost>',
      ' <Order-17@localhost> <cut-of',
      'Date: Fri, 02 Jan 2026 05:00:00 +0100',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'thanks <&>',
      '.',
      '',
    ],
    payload:
      '{"Version":0,' +
      '"From":[{"Name":"Ann Müller","Address":"ann@remote.test"}],"To":[{"Name":"","Address":"postern@localhost"}],' +
      '"CC":[],"BCC":[],"ReplyTo":[],' +
      '"Subject":"Re: Order 17","MessageID":"<abc@remote.test>","InReplyTo":"<Order-17@localhost>",' +
      '"References":["<Order-16@localhost>","<Order-17@localhost>"],"Date":"2026-01-02T04:00:00.000Z",' +
      '"Text":"thanks <&>\\n.\\n","HTML":"",' +
      '"Structure":{"ContentType":"text/plain","ContentTypeParams":{"charset":"utf-8"},"ContentID":"",' +
      '"ContentDisposition":"","Filename":"","DecodedSize":15,"Parts":[]}',
    automated: false,
  },
  {
    rule: 'nearly no fields, from the null reverse-path',
    mailFrom: '',
    subject: 'bare',
    message: ['Subject: bare', '', ''],
    payload:
      '{"Version":0,"From":[],"To":[],"CC":[],"BCC":[],"ReplyTo":[],' +
      '"Subject":"bare","MessageID":"","InReplyTo":"","References":[],"Date":null,"Text":"","HTML":"",' +
      '"Structure":{"ContentType":"text/plain","ContentTypeParams":{},"ContentID":"",' +
      '"ContentDisposition":"","Filename":"","DecodedSize":0,"Parts":[]}',
    automated: true,
  },
  {
    rule: 'a multipart with text, HTML and an attachment',
    mailFrom: 'ann@remote.test',
    subject: 'parts',
    message: [
      'Subject: parts',
      'List-Id: <orders.remote.test>',
      'CC: b@remote.test, "C" <c@remote.test>',
      'Reply-To: answers@remote.test',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=m',
      ...['', '--m', 'Content-Type: multipart/alternative; boundary=a'],
      ...['', '--a', 'Content-Type: text/plain', '', 'one', 'two'],
      ...['--a', 'Content-Type: text/html', '', '<p>one</p>', '--a--'],
      ...['--m', 'Content-Type: application/pdf; name=bill.pdf', 'Content-ID: <bill@remote.test>'],
      'Content-Disposition: attachment; filename=bill.pdf',
      ...['Content-Transfer-Encoding: base64', '', 'JVBERg==', '--m--', ''],
    ],
    payload:
      '{"Version":0,"From":[],"To":[],' +
      '"CC":[{"Name":"","Address":"b@remote.test"},{"Name":"C","Address":"c@remote.test"}],"BCC":[],' +
      '"ReplyTo":[{"Name":"","Address":"answers@remote.test"}],' +
      '"Subject":"parts","MessageID":"","InReplyTo":"","References":[],"Date":null,' +
      '"Text":"one\\ntwo","HTML":"<p>one</p>",' +
      '"Structure":{"ContentType":"multipart/mixed","ContentTypeParams":{"boundary":"m"},"ContentID":"",' +
      '"ContentDisposition":"","Filename":"","DecodedSize":0,"Parts":[' +
      '{"ContentType":"multipart/alternative","ContentTypeParams":{"boundary":"a"},"ContentID":"",' +
      '"ContentDisposition":"","Filename":"","DecodedSize":0,"Parts":[' +
      '{"ContentType":"text/plain","ContentTypeParams":{},"ContentID":"",' +
      '"ContentDisposition":"","Filename":"","DecodedSize":8,"Parts":[]},' +
      '{"ContentType":"text/html","ContentTypeParams":{},"ContentID":"",' +
      '"ContentDisposition":"","Filename":"","DecodedSize":10,"Parts":[]}]},' +
      '{"ContentType":"application/pdf","ContentTypeParams":{"name":"bill.pdf"},"ContentID":"<bill@remote.test>",' +
      '"ContentDisposition":"attachment","Filename":"bill.pdf","DecodedSize":4,"Parts":[]}]}',
    automated: true,
  },
]
for (const { rule, mailFrom, subject, message, payload, automated } of incoming) {
  test(`AT-44: an incoming message is told field for field: ${rule}`, async () => {
    await deliverRaw(postern.smtpPort, mailFrom, 'postern@localhost', message.join('\r\n'))
    const { text } = await eventually('the call', () =>
      application.calls.find(({ path, json }) => path === '/in' && json.Subject === subject),
    )
    const mails = await postern.admin.get<MailJson[]>('/mail')
    const mail = mails.find(({ Subject }) => Subject === subject) ?? assert.fail('no mail')
    const meta =
      `"Meta":{"MsgID":${mail.MsgID},"MailFrom":"${mailFrom}","MailFromValidated":false,` +
      '"MsgFromValidated":false,"RcptTo":"postern@localhost","DKIMVerifiedDomains":[],"RemoteIP":"127.0.0.1",' +
      `"Received":"${mail.Received}","MailboxName":"Inbox","Automated":${automated}}}`
    assert.equal(text, escaped(`${payload},${meta}`))
  })
}

test('AT-44: an incoming message to an account without webhook is no call', async () => {
  await deliverRaw(postern.smtpPort, 'ann@remote.test', 'bare@localhost', 'Subject: untold\r\n\r\nx\r\n')
  const mails = await postern.admin.get<MailJson[]>('/mail?account=bare')
  assert.equal(mails.filter(({ Subject }) => Subject === 'untold').length, 1)
  assert.deepEqual(await storedCalls('bare'), [])
})

test('AT-50: of what an account without webhook sends, delivered or failed, nothing is queued', async () => {
  for (const address of ['ann@other.test', 'x+554@other.test']) {
    const { id } = await send('bare', address, 'untold')
    await eventually('it is done', async () => (await readMessage('bare', id))?.state === 'done')
  }
  assert.deepEqual(await storedCalls('bare'), [])
})

interface Outgoing {
  readonly rule: string
  readonly address: string
  readonly subject: string
  /** Sent to be delivered in an hour, and acted upon before. */
  readonly action?: 'drop' | 'fail'
  /** As JSON, in requests and events. */
  readonly extra?: string
  readonly event: string
  readonly suppressing: boolean
  readonly code: number
  readonly enhancedCode: string
  readonly error: string
}

const nothingSaid = { suppressing: false, code: 0, enhancedCode: '', error: '' }
const outgoing: readonly Outgoing[] = [
  { rule: 'delivered', address: 'ann@other.test', subject: 'Order 1', event: 'delivered', ...nothingSaid },
  {
    rule: 'delivered, with Extra and with characters that HTML minds',
    address: 'ann@other.test',
    subject: 'Grüße <&>',
    extra: '{"order":"<17&18>"}',
    event: 'delivered',
    ...nothingSaid,
  },
  {
    rule: 'delayed',
    address: 'c+451@other.test',
    subject: 'Order 2',
    event: 'delayed',
    suppressing: false,
    code: 451,
    enhancedCode: '4.0.0',
    error: 'simulated failure: a local part ends in 451',
  },
  {
    rule: 'failed by 550, which suppresses the recipient',
    address: 'd+550@other.test',
    subject: 'Order 3',
    event: 'failed',
    suppressing: true,
    code: 550,
    enhancedCode: '5.0.0',
    error: 'simulated failure: a local part ends in 550',
  },
  {
    rule: 'suppressed, as the one before has left it',
    address: 'd@other.test',
    subject: 'Order 4',
    event: 'suppressed',
    ...nothingSaid,
    error:
      'd@other.test is on the suppression list of the account: delivery failure from queue: code 550, 5.0.0',
  },
  {
    rule: 'canceled, by an operator who drops it',
    address: 'ann@other.test',
    subject: 'Order 5',
    action: 'drop',
    event: 'canceled',
    ...nothingSaid,
    error: 'dropped by an operator',
  },
  {
    rule: 'failed, by an operator',
    address: 'ann@other.test',
    subject: 'Order 6',
    action: 'fail',
    event: 'failed',
    ...nothingSaid,
    error: 'failed by an operator',
  },
]
for (const { rule, address, subject, action, extra = '{}', ...wanted } of outgoing) {
  test(`mox §2.5: an outgoing event is told field for field: ${rule}`, async () => {
    const releaseAt = formatInstant(postern.local.cloud.clock.now() + HOUR)
    const more = { Extra: JSON.parse(extra), ...(action && { FutureRelease: releaseAt }) }
    const { id, fromId, messageId } = await send('postern', address, subject, more)
    if (action) await act('/queue/actions', { Action: action, Filter: { IDs: [`postern/${id}`] } })
    const made = await eventCall(id, 1)
    const { queuedAt } = await readCall('postern', made)
    assert.equal(
      // A refusal names its session.
      made.text.replace(/ \(\w{10}\)/, ''),
      escaped(
        `{"Version":0,"Event":"${wanted.event}","DSN":false,"Suppressing":${wanted.suppressing},"QueueMsgID":${id},` +
          `"FromID":"${fromId}","MessageID":"${messageId}",` +
          `"Subject":"${subject}","WebhookQueued":"${formatInstant(queuedAt)}",` +
          `"SMTPCode":${wanted.code},"SMTPEnhancedCode":"${wanted.enhancedCode}","Error":"${wanted.error}",` +
          `"Extra":${extra}}`,
      ),
    )
  })
}

test('AT-51: a call answered 500 is recorded, rescheduled by an operator, succeeds by its header fields, and is kept for 72 hours', async () => {
  const { clock } = postern.local.cloud
  answers.set('refused once', ({ headers }) => {
    const isSecond = headers['x-mox-webhook-attempt'] === '2' && headers['x-mox-webhook-id'] === `${ID}`
    return isSecond && headers.authorization === 'Bearer out' ? 200 : 500
  })
  const { id } = await send('postern', 'ann@other.test', 'refused once')
  const first = await eventCall(id, 1)
  const ID = Number(first.headers['x-mox-webhook-id'])
  const path = `/webhooks/postern/${ID}`
  const shown = async () => await postern.admin.get<QueuedCallJson>(path)
  await waiting('postern', first)
  const refused = await eventually('it is listed', async () =>
    (await postern.admin.get<QueuedCallJson[]>('/webhooks')).find((call) => call.ID === ID && call.Attempts),
  )
  assert.equal(refused.Attempts, 1)
  assert.deepEqual(
    refused.Results.map(({ Success, Code, Response }) => [Success, Code, Response]),
    [[false, 500, `no ${'ü'.repeat(254)}`]],
  )
  assert.ok(Date.parse(refused.NextAttempt) > clock.now())

  const Filter = { IDs: [`postern/${ID}`] }
  const at = formatInstant(clock.now() + 30 * MINUTE)
  await act('/webhooks/actions', { Action: 'schedule', At: at, Filter })
  assert.equal((await shown()).NextAttempt, at)
  await act('/webhooks/actions', { Action: 'postpone', By: '10m', Filter })
  assert.equal(Date.parse((await shown()).NextAttempt), Date.parse(at) + 10 * MINUTE)
  await clock.advance(38 * MINUTE)
  assert.equal(callsAbout(id).length, 1, 'not before its time')
  await clock.advance(3 * MINUTE)
  await eventCall(id, 2)

  const isKept = async () =>
    (await postern.admin.get<RetiredCallJson[]>('/webhooks/retired?limit=1000')).find(
      (call) => call.ID === ID,
    )
  const retired = await eventually('it is in the retired list', isKept)
  assert.deepEqual([retired.Success, retired.Attempts], [true, 2])
  assert.deepEqual(
    retired.Results.map(({ Success, Code }) => [Success, Code]),
    [
      [false, 500],
      [true, 200],
    ],
  )
  assert.equal(Date.parse(retired.KeepUntil) - Date.parse(retired.LastActivity), 72 * HOUR)
  await clock.advance(71 * HOUR)
  assert.ok(await isKept())
  await clock.advance(HOUR + MINUTE)
  assert.equal(await isKept(), undefined)
})

test('AT-53: a call of an account that keeps nothing is in no list once it is done', async () => {
  const { id } = await send('brief', 'ann@other.test', 'not kept')
  const made = await eventCall(id, 1)
  const row = await eventually('it is done', async () => {
    const call = await readCall('brief', made)
    return call.state === 'done' && call
  })
  assert.deepEqual([row.retired?.success, row.retired?.keepUntil], [true, 0])
  // Beyond the lag of the lists.
  await postern.local.cloud.clock.advance(10 * SECOND)
  for (const list of ['/webhooks', '/webhooks/retired']) {
    assert.deepEqual(await postern.admin.get(`${list}?account=brief`), [], list)
  }
})

test('AT-54: canceled calls leave the list empty, are made no more, and are remembered as failures', async () => {
  answers.set('refused always', () => 500)
  const sent = await Promise.all([1, 2, 3].map(() => send('postern', 'ann@other.test', 'refused always')))
  const made = await Promise.all(sent.map(({ id }) => eventCall(id, 1)))
  await Promise.all(made.map((call) => waiting('postern', call)))
  const calls = async () => await postern.admin.get<QueuedCallJson[]>('/webhooks')
  await eventually('these are listed, and nothing else', async () => {
    const listed = await calls()
    return listed.length === 3 && listed.every(({ Subject }) => Subject === 'refused always')
  })
  const all = { Action: 'cancel', Filter: { Account: 'postern', Event: 'delivered' } }
  await act('/webhooks/actions', all, 3)
  await eventually('the list is empty', async () => (await calls()).length === 0)
  for (const { headers } of made) {
    const retired = await postern.admin.get<RetiredCallJson>(
      `/webhooks/postern/${headers['x-mox-webhook-id']}`,
    )
    assert.equal(retired.Success, false)
    assert.deepEqual(
      retired.Results.map(({ Code, Error: error }) => [Code, error]),
      [
        [500, 'the receiver answered HTTP status 500'],
        [0, 'canceled by an operator'],
      ],
    )
  }
  await postern.local.cloud.clock.advance(HOUR)
  assert.deepEqual(
    sent.map(({ id }) => callsAbout(id).length),
    [1, 1, 1],
  )
})

interface Sent {
  readonly id: RowId
  readonly fromId: string
  readonly messageId: string
}

async function send(login: Login, address: string, Subject: string, more: object = {}): Promise<Sent> {
  const request = { To: [{ Address: address }], Subject, Text: 'x', ...more }
  const answer = await postern.post('Send', JSON.stringify(request), {
    'content-type': 'application/json',
    authorization: `Basic ${btoa(logins[login])}`,
  })
  const json = (await answer.json()) as {
    readonly MessageID: string
    readonly Submissions: readonly { readonly QueueMsgID: RowId; readonly FromID: string }[]
  }
  assert.equal(answer.status, 200, JSON.stringify(json))
  const [{ QueueMsgID, FromID } = assert.fail('no submission')] = json.Submissions
  return { id: QueueMsgID, fromId: FromID, messageId: json.MessageID }
}

async function readMessage(account: Login, id: RowId) {
  return await storesOf(postern.table).queue.read(account, id)
}

/** What the application was told of a sent message, the first first. */
function callsAbout(id: RowId): readonly ReceivedCall[] {
  return application.calls.filter(({ json }) => json.QueueMsgID === id)
}

async function eventCall(id: RowId, count: number): Promise<ReceivedCall> {
  return await eventually(`call ${count} about ${id}`, () => callsAbout(id)[count - 1])
}

/** The row of a call that was made. */
async function readCall(account: Login, { headers }: ReceivedCall): Promise<WebhookCall> {
  const id = Number(headers['x-mox-webhook-id']) as RowId
  return (await storesOf(postern.table).calls.read(account, id)) ?? assert.fail(`no call ${id}`)
}

/** Until the outcome is noted: what is still attempted is not acted upon, and not looked at when time moves. */
async function waiting(account: Login, made: ReceivedCall): Promise<void> {
  await eventually('the call waits', async () => (await readCall(account, made)).state === 'waiting')
}

/** As an operator does it: it must be done at once, to so many rows. */
async function act(path: string, body: object, count = 1): Promise<void> {
  const { State, Changed } = await postern.admin.post<OperationJson>(path, body)
  assert.deepEqual([State, Changed], ['done', count])
}

/** All calls of an account, done or not, as they are stored: without the lag of a list. */
async function storedCalls(account: Login): Promise<readonly unknown[]> {
  const partitions = new Set(Array.from({ length: 64 }, (_, id) => keys.call(account, id as RowId).pk))
  const query = { condition: '#pk = :pk', limit: 1000 }
  const found = await Promise.all(
    [...partitions].map((pk) => queryItems(postern.table, { ...query, values: { pk } })),
  )
  return found.flat()
}
