import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { eventually } from '../../scripts/eventually.ts'
import { curlForm, curlFormHeaders } from '../support/curl-form.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const MIB = 1024 * 1024
const jsonType = { 'content-type': 'application/json' } as const
const urlencodedType = { 'content-type': 'application/x-www-form-urlencoded' } as const

type Encoding = readonly [
  name: string,
  mebibytes: number,
  headers: Record<string, string>,
  encode: (request: object, files: readonly Buffer[]) => string | Buffer,
]

/** What README's "Sending" promises of each encoding. */
const encodings: readonly Encoding[] = [
  [
    'a multipart form',
    4,
    curlFormHeaders,
    (request, files) =>
      curlForm([
        { name: 'request', data: JSON.stringify(request) },
        ...files.map((data) => ({ name: 'attachedfile', filename: 'f', type: 'application/x-file', data })),
      ]),
  ],
  ['JSON', 4, jsonType, (request, files) => JSON.stringify(withFiles(request, files))],
  [
    'a urlencoded form',
    3,
    urlencodedType,
    (request, files) => String(new URLSearchParams({ request: JSON.stringify(withFiles(request, files)) })),
  ],
]

for (const [name, mebibytes, headers, encode] of encodings) {
  test(`${mebibytes} MiB of files go as ${name}, arrive, and come back by MessagePartGet`, async () => {
    const files = [randomBytes(MIB), randomBytes((mebibytes - 1) * MIB)]
    const request = { To: [{ Address: 'big@limits.test' }], Text: 'x' }
    const answer = await postern.post('Send', encode(request, files), headers)
    const sent = (await answer.json()) as { MessageID: string }
    assert.equal(answer.status, 200, JSON.stringify(sent))
    const msgId = await mailOf(sent.MessageID)
    for (const [place, file] of files.entries()) {
      const part = await post('MessagePartGet', { MsgID: msgId, PartPath: [place + 1] })
      assert.ok(file.equals(Buffer.from(await part.arrayBuffer())))
    }
  })
}

/**
 * The event that Lambda takes has at most 6,291,556 bytes. API Gateway makes base64 of forms and leaves JSON as text; what it adds is less than 3000 bytes.
 */
const bodies: readonly (readonly [
  rule: string,
  bytes: number,
  headers: Record<string, string>,
  status: number,
])[] = [
  ['a form that just fits into the event', 4_716_000, urlencodedType, 400],
  ['a form whose base64 is larger than the event may be', 4_719_000, urlencodedType, 413],
  ['JSON that just fits into the event', 6_288_000, jsonType, 400],
  ['JSON that is larger than the event may be', 6_292_000, jsonType, 413],
  ['10 MB, all that API Gateway takes', 10_485_760, jsonType, 413],
  ['more than 10 MB', 10_485_761, jsonType, 413],
]
for (const [rule, bytes, headers, status] of bodies) {
  test(`${rule}: ${bytes} bytes are answered ${status}`, async () => {
    const answer = await postern.post('Send', Buffer.alloc(bytes, ' '), headers)
    assert.equal(answer.status, status)
    const json = (await answer.json()) as { Code: string }
    if (status === 413) assert.deepEqual(json, { message: 'Request Entity Too Large' })
    else assert.equal(json.Code, 'protocol')
  })
}

test('a message of 5 MB, received over SMTP, is read by a redirect, its parts by answers', async () => {
  const file = randomBytes(3_700_000)
  const msgId = await receive('five', {
    text: 'x',
    attachments: [
      { filename: 'f', contentType: 'application/x-file', content: file },
      { filename: 's', content: 'small' },
    ],
  })
  const got = await postern.call('MessageGet', { MsgID: msgId })
  const { Size } = got.json.Meta as { Size: number }
  assert.ok(Size > 5_000_000)

  const raw = await post('MessageRawGet', { MsgID: msgId })
  assert.deepEqual([raw.status, raw.redirected], [200, true])
  assert.equal((await raw.arrayBuffer()).byteLength, Size)

  const part = await post('MessagePartGet', { MsgID: msgId, PartPath: [1] })
  assert.deepEqual([part.status, part.redirected], [200, false])
  assert.ok(file.equals(Buffer.from(await part.arrayBuffer())))
  const small = await post('MessagePartGet', { MsgID: msgId, PartPath: [2] })
  assert.equal(await small.text(), 'small')
})

test('up to 4.5 MB are answered without a redirect', async () => {
  const msgId = await receive('largest', {
    attachments: [{ filename: 'f', content: randomBytes(3_280_000) }],
  })
  const raw = await post('MessageRawGet', { MsgID: msgId })
  assert.deepEqual([raw.status, raw.redirected], [200, false])
  const { length } = Buffer.from(await raw.arrayBuffer())
  assert.ok(length > 4_480_000 && length <= 4_500_000, String(length))
})

test('texts that JSON makes too large for an answer are read by a redirect', async () => {
  // Each octet becomes six characters; of each text 1 MiB is shown.
  const text = '\x01'.repeat(MIB)
  const msgId = await receive('controls', { text, html: text })
  const answer = await post('MessageGet', { MsgID: msgId })
  assert.deepEqual([answer.status, answer.redirected], [200, true])
  const { Message } = (await answer.json()) as { Message: { Text: string; HTML: string } }
  assert.ok(Message.Text === text && Message.HTML === text)
})

test('octets that are no UTF-8 come back as they are', async () => {
  const text = Buffer.from('Gr\xfc\xdfe \x80\xff\r\n', 'latin1')
  const header = Buffer.from('From: <a@b.test>\r\nSubject: octets\r\nContent-Transfer-Encoding: 8bit\r\n\r\n')
  const msgId = await receive('octets', { raw: Buffer.concat([header, text]) })
  const raw = Buffer.from(await (await post('MessageRawGet', { MsgID: msgId })).arrayBuffer())
  assert.deepEqual(raw.subarray(-header.length - text.length), Buffer.concat([header, text]))
  const part = await post('MessagePartGet', { MsgID: msgId, PartPath: [] })
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), text)
})

function withFiles(request: object, files: readonly Buffer[]): object {
  const AttachedFiles = files.map((file) => ({
    Name: 'f',
    ContentType: 'application/x-file',
    Data: file.toString('base64'),
  }))
  return { ...request, AttachedFiles }
}

async function post(method: string, request: object): Promise<Response> {
  return await postern.post(method, JSON.stringify(request), jsonType)
}

/** Hands a message to the listener, as anybody on the Internet can; answers the MsgID of the mail. */
async function receive(localpart: string, message: object): Promise<number> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: postern.smtpPort,
    secure: false,
    ignoreTLS: true,
  })
  const to = `${localpart}@limits.test`
  await transport.sendMail({ envelope: { from: 'a@b.test', to }, from: 'a@b.test', to, ...message })
  transport.close()
  return await findMail(({ RcptTo }) => RcptTo === to)
}

async function mailOf(messageId: string): Promise<number> {
  return await findMail(({ MessageID }) => MessageID === messageId)
}

async function findMail(isIt: (mail: { RcptTo: string; MessageID: string }) => boolean): Promise<number> {
  const found = await eventually('the mail', async () => {
    const mails = await postern.admin.get<{ MsgID: number; RcptTo: string; MessageID: string }[]>('/mail')
    return mails.find(isIt)
  })
  return found.MsgID
}
