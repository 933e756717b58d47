import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { curlForm, curlFormHeaders } from '../support/curl-form.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  const { admin } = postern
  await admin.patch('/accounts/postern', {
    FullName: 'Postern',
    OutgoingWebhook: { URL: `${application.url}/out` },
  })
  await admin.put('/accounts/other', { Addresses: ['other@localhost'] })
  await admin.put('/domains/disabled.test', { LocalpartCatchallSeparators: [], Disabled: true })
  // A running function may work with options that are five seconds old.
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const jsonType = { 'content-type': 'application/json' } as const
const calendar = Buffer.from('BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n')
const picture = Buffer.from('\x89PNG\r\n\x1a\n\x00\x01\xff\r\n--\r\n', 'latin1')
const document = Buffer.from('%PDF-1.7\n\x00\xe2\xe3\xcf\xd3\nÿ\n', 'latin1')

const wholeRequest = {
  From: [{ Name: 'Pöstern Shop', Address: 'postern+shop@localhost' }],
  To: [
    { Name: 'Änn, "the" first', Address: 'ann@whole.test' },
    { Name: '', Address: 'Bob@whole.test' },
  ],
  CC: [{ Name: 'Carla', Address: 'carla@other.test' }],
  BCC: [{ Name: 'Dörte', Address: 'doerte@third.test' }],
  ReplyTo: [
    { Name: 'Reply', Address: 'reply@localhost' },
    { Name: '', Address: 'second@xn--bcher-kva.test' },
  ],
  MessageID: '<whole-1@shop.test>',
  References: ['<older@shop.test>', '<old@shop.test>'],
  Date: '2026-11-04T12:34:56+02:00',
  Subject: 'Grüße — Bestellung 17 <&>',
  Text: 'Hallo Änn,\n\nbis bald\n',
  HTML: '<p>Hallo Änn</p>',
  Extra: { order: '17', 'ünïcode key': '<&> "quoted"\n' },
  Headers: [
    ['X-Order', '17 & more'],
    ['X-Order', 'again'],
  ],
  AlternativeFiles: [
    { Name: 'invite.ics', ContentType: 'text/calendar', ContentID: '', Data: base64(calendar) },
  ],
  InlineFiles: [
    { Name: 'lögo.png', ContentType: 'image/png', ContentID: '<logo@shop>', Data: base64(picture) },
  ],
  AttachedFiles: [{ Name: 'bill.pdf', ContentType: '', ContentID: '', Data: base64(document) }],
  RequireTLS: false,
  FutureRelease: new Date().toISOString(),
  SaveSent: true,
}

test('AT-12, AT-16: a request with every field is queued for all recipients, arrives as it was meant and is kept in Sent', async () => {
  // An address of the account by which it gets no FromIDs.
  const authorization = basic('postern+shop@localhost', 'posternpostern')
  const answer = await postern.post('Send', JSON.stringify(wholeRequest), { ...jsonType, authorization })
  const sent = (await answer.json()) as SendAnswer
  assert.equal(answer.status, 200, JSON.stringify(sent))
  assert.equal(sent.MessageID, '<whole-1@shop.test>')
  const submissions = sent.Submissions
  const [first] = submissions
  assert.deepEqual(
    submissions,
    ['ann@whole.test', 'Bob@whole.test', 'carla@other.test', 'doerte@third.test'].map((Address, place) => ({
      Address,
      QueueMsgID: Number(first?.QueueMsgID) + place,
      FromID: '',
    })),
  )

  const mails = await mailsOf('<whole-1@shop.test>', 4)
  assert.deepEqual(mails.map(({ RcptTo }) => RcptTo).sort(), submissions.map(({ Address }) => Address).sort())
  const mail = mails.find(({ RcptTo }) => RcptTo === 'doerte@third.test')
  const { Message, Structure, Meta } = await messageGet(mail?.MsgID)
  const arrived = {
    From: [{ Name: 'Pöstern Shop', Address: 'postern+shop@localhost' }],
    To: wholeRequest.To,
    CC: wholeRequest.CC,
    BCC: [],
    ReplyTo: [
      { Name: 'Reply', Address: 'reply@localhost' },
      { Name: '', Address: 'second@bücher.test' },
    ],
    MessageID: '<whole-1@shop.test>',
    References: ['<older@shop.test>', '<old@shop.test>'],
    Date: '2026-11-04T10:34:56.000Z',
    Subject: wholeRequest.Subject,
    Text: wholeRequest.Text,
    HTML: `${wholeRequest.HTML}\n`,
  }
  assert.deepEqual(Message, arrived)
  assert.deepEqual(summary(Structure), [
    'multipart/mixed',
    [
      'multipart/related',
      ['multipart/alternative', ['text/plain'], ['text/html'], ['text/calendar inline invite.ics']],
      ['image/png inline lögo.png <logo@shop>'],
    ],
    ['application/pdf attachment bill.pdf'],
  ])
  assert.equal(Meta.MailFrom, 'postern+shop@localhost')
  const [copy] = await mailsOf('<whole-1@shop.test>', 1, 'Sent')
  const { Meta: _, ...kept } = await messageGet(copy?.MsgID)
  assert.deepEqual(kept, { Message: { ...arrived, BCC: wholeRequest.BCC }, Structure })

  for (const [path, bytes] of [
    [[0, 0, 1], Buffer.from(`${wholeRequest.HTML}\r\n`)],
    [[0, 0, 2], calendar],
    [[0, 1], picture],
    [[1], document],
  ] as const) {
    assert.deepEqual(await bytesOf('MessagePartGet', { MsgID: mail?.MsgID, PartPath: path }), bytes)
  }

  await eventually('an event for each recipient', () => eventsOf('<whole-1@shop.test>').length === 4)
  for (const event of eventsOf('<whole-1@shop.test>')) {
    assert.equal(event.Event, 'delivered')
    assert.deepEqual(event.Extra, wholeRequest.Extra)
  }
})

test('the header section: trace fields, then ours in order, then the caller’s, no Bcc (spec §1.6, 8)', async () => {
  const MessageID = '<fields@shop.test>'
  await postern.call('Send', { ...wholeRequest, MessageID })
  const [mail] = await mailsOf(MessageID, 4)
  const raw = (await bytesOf('MessageRawGet', { MsgID: mail?.MsgID })).toString('latin1')
  const [header = ''] = raw.split('\r\n\r\n')
  const names = [...header.matchAll(/^([A-Za-z-]+):/gm)].map(([, name]) => name)
  assert.deepEqual(names, [
    ...['Delivered-To', 'Return-Path', 'Authentication-Results', 'Received', 'Received'],
    ...['From', 'Reply-To', 'To', 'Cc', 'Subject', 'Date', 'Message-Id', 'References', 'In-Reply-To'],
    ...['MIME-Version', 'X-Order', 'X-Order', 'User-Agent', 'Content-Type'],
  ])
  assert.match(header, /^Date: 4 Nov 2026 10:34:56 \+0000\r$/m)
  assert.match(header, /^In-Reply-To: <old@shop\.test>\r$/m)
  assert.match(header, /^User-Agent: postern\/\S+\r$/m)
  assert.doesNotMatch(header, /D=C3=B6rte|doerte@third\.test\W*,|^Bcc/im)
  assert.ok(header.split('\r\n').every((line) => line.length <= 78 && /^[\x20-\x7e\t]*$/.test(line)))
})

test('the largest Subject and Extra come back in the event, however they are escaped', async () => {
  const request = { ...valid, Subject: '<'.repeat(8_192), Extra: { a: '<'.repeat(32_760) } }
  const { status, json } = await postern.call('Send', request)
  assert.equal(status, 200, JSON.stringify(json))
  const [event] = await eventually('the event', () => {
    const events = eventsOf(String(json.MessageID))
    return events.length > 0 && events
  })
  assert.deepEqual([event?.Event, event?.Subject], ['delivered', request.Subject])
  assert.deepEqual(event?.Extra, request.Extra)
})

test('AT-13: files as curl -F uploads them, an own User-Agent, a login with FromIDs, a UTF-8 local part', async () => {
  const request = {
    To: [{ Address: 'jürgen@whole.test' }],
    Subject: 'Dateien',
    Text: 'x',
    HTML: '<p>x</p>',
    Headers: [['User-Agent', 'shop/1']],
    AttachedFiles: [{ Name: 'first.txt', ContentType: 'text/plain', Data: 'Zmlyc3Q=' }],
  }
  const form = curlForm([
    { name: 'request', data: JSON.stringify(request) },
    { name: 'alternativefile', filename: 'e.ics', type: 'text/calendar', data: calendar },
    {
      name: 'inlinefile',
      filename: 'one.png',
      type: 'image/png',
      headers: ['Content-ID: <one@shop>'],
      data: picture,
    },
    { name: 'inlinefile', filename: 'zwei ü.bin', data: picture },
    {
      name: 'attachedfile',
      filename: 'bill',
      type: 'application/octet-stream',
      headers: ['Content-ID: <bill@shop>'],
      data: document,
    },
  ])
  const answer = await postern.post('Send', form, curlFormHeaders)
  const sent = (await answer.json()) as SendAnswer
  assert.equal(answer.status, 200, JSON.stringify(sent))
  assert.match(sent.MessageID, /^<[A-Za-z0-9_-]{22}@localhost>$/)
  assert.deepEqual([sent.Submissions.length, sent.Submissions[0]?.Address], [1, 'jürgen@whole.test'])
  assert.match(sent.Submissions[0]?.FromID ?? '', /^[a-z2-7]{26}$/)

  const [mail] = await mailsOf(sent.MessageID, 1)
  assert.equal(mail?.RcptTo, 'jürgen@whole.test')
  const { Structure } = await messageGet(mail?.MsgID)
  assert.deepEqual(summary(Structure), [
    'multipart/mixed',
    [
      'multipart/related',
      ['multipart/alternative', ['text/plain'], ['text/html'], ['text/calendar inline e.ics']],
      ['image/png inline one.png <one@shop>'],
      ['image/png inline zwei ü.bin'],
    ],
    ['text/plain attachment first.txt'],
    ['application/octet-stream attachment bill <bill@shop>'],
  ])
  assert.deepEqual(await bytesOf('MessagePartGet', { MsgID: mail?.MsgID, PartPath: [0, 2] }), picture)
  assert.deepEqual(await bytesOf('MessagePartGet', { MsgID: mail?.MsgID, PartPath: [2] }), document)
  const raw = (await bytesOf('MessageRawGet', { MsgID: mail?.MsgID })).toString()
  assert.deepEqual(raw.match(/^User-Agent: .*$/gm), ['User-Agent: shop/1'])
  assert.match(raw, /^To: <jürgen@whole\.test>\r$/m)
})

function inDays(days: number, moreMs = 0): string {
  return new Date(Date.now() + days * 86_400_000 + moreMs).toISOString()
}

const valid = { To: [{ Address: 'ann@whole.test' }], Text: 'x' }

/** A change of {@link valid}, and the code and the beginning of the message that it is answered with. */
type Refusal = readonly [rule: string, change: object, code: string, message: string]

const refusals: readonly Refusal[] = [
  [
    'AT-72: a FutureRelease later than 60 days',
    { FutureRelease: inDays(60, 60_000) },
    'user',
    'FutureRelease: must be within 60 days',
  ],
  ['a FutureRelease that is no time', { FutureRelease: 'tomorrow' }, 'protocol', 'FutureRelease'],
  ['AT-14: no body', { Text: '' }, 'missingBody', 'Text, HTML'],
  ['AT-14: two From', { From: [{ Address: 'postern@localhost' }, {}] }, 'multipleFrom', 'From'],
  ["AT-14: another account's address", { From: [{ Address: 'other@localhost' }] }, 'badFrom', 'From'],
  ['AT-14: nobody’s address', { From: [{ Address: 'nobody@elsewhere.test' }] }, 'badFrom', 'From'],
  ['AT-14: a disabled domain', { From: [{ Address: 'x@disabled.test' }] }, 'domainDisabled', 'From'],
  ['AT-14: no recipient', { To: [] }, 'noRecipients', 'To, CC, BCC'],
  ['AT-14: a message id without brackets', { MessageID: 'a@b.test' }, 'malformedMessageID', 'MessageID'],
  ['a message id with a space', { MessageID: '<a b@b.test>' }, 'malformedMessageID', 'MessageID'],
  ['an unknown field', { Recipients: [] }, 'protocol', 'request: unknown field Recipients'],
  [
    'an unknown field of an address',
    { To: [{ Mail: 'a@b.test' }] },
    'protocol',
    'request: unknown field To[0].Mail',
  ],
  ['a field of another type', { Subject: 17 }, 'protocol', 'request: Subject'],
  ['a Date that is none', { Date: 'yesterday' }, 'protocol', 'Date'],
  ['an Extra that is no text', { Extra: { a: 1 } }, 'protocol', 'request: Extra.a'],
  ['a header field without name', { Headers: [['', 'x']] }, 'user', 'Headers[0][0]'],
  ['a header field name with a colon', { Headers: [['X:', 'x']] }, 'user', 'Headers[0][0]'],
  ['a header field that Send writes', { Headers: [['bcc', 'x']] }, 'user', 'Headers[0][0]'],
  ['a Subject of more than 8 KiB', { Subject: 'ö'.repeat(4_097) }, 'user', 'Subject: has 8194 octets'],
  ['an Extra of more than 32 KiB', { Extra: { a: 'x'.repeat(32_761) } }, 'user', 'Extra: has 32769 octets'],
  ['1001 recipients', { To: Array(1001).fill({ Address: 'a@b.test' }) }, 'user', 'To, CC, BCC'],
  ...['From', 'To', 'CC', 'BCC', 'ReplyTo'].map(
    (field): Refusal => [
      `AT-14: a bad address in ${field}`,
      { [field]: [{ Address: 'no address' }] },
      'badAddress',
      `${field}[0].Address`,
    ],
  ),
  ...['AlternativeFiles', 'InlineFiles', 'AttachedFiles'].flatMap((field) =>
    ['Zg', '?', 'Zg==Zg=='].map(
      (Data): Refusal => [`bad base64 in ${field}`, { [field]: [{ Data }] }, 'user', `${field}[0].Data`],
    ),
  ),
]
for (const [rule, change, code, message] of refusals) {
  test(`${rule} is answered 400 ${code}: ${message}`, async () => {
    const answer = await postern.call('Send', { ...valid, ...change })
    assert.equal(answer.status, 400)
    assert.deepEqual(Object.keys(answer.json), ['Code', 'Message'])
    assert.equal(answer.json.Code, code)
    assert.ok(String(answer.json.Message).startsWith(message), String(answer.json.Message))
  })
}

/** Every place in which a text reaches a header section, as a request that puts it there. */
const headerTexts: readonly (readonly [field: string, request: (text: string) => object])[] = [
  ['Subject', (Subject) => ({ Subject })],
  ['MessageID', (text) => ({ MessageID: `<${text}@b.test>` })],
  ['References[1]', (text) => ({ References: ['<a@b.test>', `<${text}@b.test>`] })],
  ['From[0].Name', (Name) => ({ From: [{ Name, Address: 'postern@localhost' }] })],
  ...['To', 'CC', 'BCC', 'ReplyTo'].map(
    (field) =>
      [`${field}[0].Name`, (Name: string) => ({ [field]: [{ Name, Address: 'a@b.test' }] })] as const,
  ),
  ['Headers[0][0]', (name) => ({ Headers: [[`X-${name}`, 'x']] })],
  ['Headers[0][1]', (value) => ({ Headers: [['X-Order', value]] })],
  ...['AlternativeFiles', 'InlineFiles', 'AttachedFiles'].flatMap((field) => [
    [`${field}[0].Name`, (Name: string) => ({ [field]: [{ Name, Data: '' }] })] as const,
    [
      `${field}[0].ContentType`,
      (text: string) => ({ [field]: [{ ContentType: `a/b; c="${text}"` }] }),
    ] as const,
    [`${field}[0].ContentID`, (text: string) => ({ [field]: [{ ContentID: `<${text}@b.test>` }] })] as const,
  ]),
]
const controls = ['a\rb', 'a\nb', 'a\r\nBcc:b', 'a\0b'] as const

for (const [field, request] of headerTexts) {
  test(`CR, LF and NUL in ${field} are answered 400 user, by name`, async () => {
    for (const text of controls) {
      const { status, json } = await postern.call('Send', { ...valid, ...request(text) })
      assert.deepEqual([status, json.Code], [400, 'user'], `${JSON.stringify(text)}: ${json.Message}`)
      assert.ok(String(json.Message).startsWith(`${field} `), String(json.Message))
    }
  })
}

for (const field of ['From', 'To', 'CC', 'BCC', 'ReplyTo']) {
  test(`CR, LF and NUL in an address of ${field} are answered 400 badAddress, by name`, async () => {
    for (const text of controls) {
      for (const Address of [`${text}@b.test`, `"${text}"@b.test`, `a@${text}.test`]) {
        const { status, json } = await postern.call('Send', { ...valid, [field]: [{ Address }] })
        assert.deepEqual([status, json.Code], [400, 'badAddress'], JSON.stringify(Address))
        assert.ok(String(json.Message).startsWith(`${field}[0].Address: `), String(json.Message))
      }
    }
  })
}

const uploads: readonly (readonly [rule: string, field: string, part: object])[] = [
  ['a CR in its name', 'AttachedFiles[0].Name', { filename: 'a\rb' }],
  ['a NUL in its name', 'AttachedFiles[0].Name', { filename: 'a\0b' }],
  [
    'an encoded CRLF in its name (RFC 2231)',
    'AttachedFiles[0].Name',
    { filename: '"; filename*=utf-8\'\'a%0D%0Ab; x="' },
  ],
  ['an encoded LF in its name (RFC 2047)', 'AttachedFiles[0].Name', { filename: '=?utf-8?q?a=0Ab?=' }],
  ['a CR in its type', 'AttachedFiles[0].ContentType', { type: 'text/plain; name="a\rb"' }],
  ['a NUL in its type', 'AttachedFiles[0].ContentType', { type: 'text/plain\0' }],
  ['a multipart type', 'AttachedFiles[0].ContentType', { type: 'multipart/mixed; boundary=x' }],
  ['a CR in its id', 'AttachedFiles[0].ContentID', { headers: ['Content-ID: <a\rb@c>'] }],
  ['a NUL in its id', 'AttachedFiles[0].ContentID', { headers: ['Content-ID: <a\0b@c>'] }],
]
for (const [rule, field, part] of uploads) {
  test(`an uploaded file with ${rule} is answered 400 user: ${field}`, async () => {
    const form = curlForm([
      { name: 'request', data: JSON.stringify(valid) },
      { name: 'attachedfile', filename: 'a', data: 'x', ...part },
    ])
    const json = await refusal(await postern.post('Send', form, curlFormHeaders))
    assert.equal(json.Code, 'user')
    assert.ok(json.Message.startsWith(`${field} `), json.Message)
  })
}

test('an upload under another field name is answered 400 protocol, by that name', async () => {
  const form = curlForm([
    { name: 'request', data: JSON.stringify(valid) },
    { name: 'attachment', filename: 'a', data: 'x' },
  ])
  const json = await refusal(await postern.post('Send', form, curlFormHeaders))
  assert.deepEqual(json, { Code: 'protocol', Message: 'unknown form field attachment' })
})

const urlencoded = 'application/x-www-form-urlencoded'
const malformed: readonly (readonly [rule: string, type: string, body: string])[] = [
  ['text/plain', 'text/plain', JSON.stringify(valid)],
  ['a multipart form without boundary', 'multipart/form-data', 'x'],
  ['a urlencoded form without the field', urlencoded, 'x=1&%zz'],
  ['an empty body', urlencoded, ''],
  ['an empty JSON body', 'application/json', ''],
  ['a request that is no JSON', urlencoded, 'request=x'],
  ['a request that is an array', urlencoded, 'request=[]'],
  ['JSON that breaks off', 'application/json', '{"Text":"x"'],
]
for (const [rule, type, body] of malformed) {
  test(`AT-11: ${rule} is answered 400 protocol`, async () => {
    assert.equal((await refusal(await postern.post('Send', body, { 'content-type': type }))).Code, 'protocol')
  })
}

const requests: readonly (readonly [rule: string, method: string, path: string, status: number])[] = [
  ['AT-01: the root leads to the methods', 'GET', '/webapi/', 303],
  ['AT-01: the root takes no POST', 'POST', '/webapi/', 405],
  ['AT-02: the list of methods', 'GET', '/webapi/v0/', 200],
  ['AT-03: another path', 'GET', '/webapi/other', 404],
  ['AT-03: an unknown method', 'GET', '/webapi/v0/Sent', 404],
  ['AT-03: an unknown method, without login', 'POST', '/webapi/v0/Sent', 404],
  ['AT-03: methods are case-sensitive', 'POST', '/webapi/v0/send', 404],
  ['AT-03: a name that every object has', 'POST', '/webapi/v0/constructor', 404],
  ['AT-04: what Send is', 'GET', '/webapi/v0/Send', 200],
  ['AT-04: what MessageRawGet is', 'GET', '/webapi/v0/MessageRawGet', 200],
  ['AT-05: Send takes no PUT', 'PUT', '/webapi/v0/Send', 405],
  ['AT-05: Send takes no HEAD', 'HEAD', '/webapi/v0/Send', 405],
]
for (const [rule, method, path, status] of requests) {
  test(`${rule}: ${method} ${path} is answered ${status}`, async () => {
    const answer = await fetch(`${postern.local.cloud.apiUrl}${path}`, { method, redirect: 'manual' })
    assert.equal(answer.status, status)
    if (status === 200) assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
    if (status === 303) assert.equal(answer.headers.get('location'), '/webapi/v0/')
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  })
}

interface SendAnswer {
  readonly MessageID: string
  readonly Submissions: readonly {
    readonly Address: string
    readonly QueueMsgID: number
    readonly FromID: string
  }[]
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function basic(userName: string, password: string): string {
  return `Basic ${base64(Buffer.from(`${userName}:${password}`))}`
}

async function refusal(answer: Response): Promise<{ readonly Code: string; readonly Message: string }> {
  assert.equal(answer.status, 400)
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  return (await answer.json()) as { Code: string; Message: string }
}

interface ListedMail {
  readonly MsgID: number
  readonly MessageID: string
  readonly RcptTo: string
  readonly MailboxName: string
}

async function mailsOf(messageId: string, count: number, mailbox = 'Inbox'): Promise<readonly ListedMail[]> {
  return await eventually(`${count} mails ${messageId}`, async () => {
    const mails = await postern.admin.get<ListedMail[]>('/mail?limit=1000')
    const found = mails.filter((mail) => mail.MessageID === messageId && mail.MailboxName === mailbox)
    return found.length === count && found
  })
}

function eventsOf(messageId: string): readonly Record<string, unknown>[] {
  return application.calls.map(({ json }) => json).filter(({ MessageID }) => MessageID === messageId)
}

interface Structure {
  readonly ContentType: string
  readonly ContentID: string
  readonly ContentDisposition: string
  readonly Filename: string
  readonly Parts: readonly Structure[]
}

async function messageGet(MsgID: number | undefined) {
  const { status, json } = await postern.call('MessageGet', { MsgID })
  assert.equal(status, 200)
  return json as { Message: object; Structure: Structure; Meta: Record<string, unknown> }
}

type Summary = readonly (string | Summary)[]

function summary({ ContentType, ContentDisposition, Filename, ContentID, Parts }: Structure): Summary {
  const words = [ContentType, ContentDisposition, Filename, ContentID].filter((word) => word !== '')
  return [words.join(' '), ...Parts.map(summary)]
}

async function bytesOf(method: string, request: object): Promise<Buffer> {
  const answer = await postern.post(method, JSON.stringify(request), jsonType)
  assert.equal(answer.status, 200)
  return Buffer.from(await answer.arrayBuffer())
}
