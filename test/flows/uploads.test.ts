import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { changeItem } from '../../shared/adapters/aws/dynamo.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import { formatInstant, HOUR, MINUTE } from '../../shared/base/clock.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const MB = 1_000_000
const to = [{ Address: 'a@uploads.test' }]

interface Upload {
  readonly UploadID: string
  readonly URL: string
  readonly Expires: string
}

test('a file of 60 MB goes by an upload, arrives byte for byte and is read back by MessagePartGet', async () => {
  const file = randomBytes(60 * MB)
  const upload = await createUpload()
  await put(upload, file)
  const sent = await send({
    AttachedFiles: [{ Name: 'large', ContentType: 'x/y', UploadID: upload.UploadID }],
  })
  assert.equal(sent.status, 200, JSON.stringify(sent.json))
  const msgId = await mailOf(sent.json.MessageID)

  const part = await post('MessagePartGet', { MsgID: msgId, PartPath: [1] }, 'manual')
  assert.equal(part.status, 303)
  const url = part.headers.get('location') ?? ''
  const got = await fetch(url)
  assert.equal(got.headers.get('content-type'), 'application/octet-stream')
  assert.ok(file.equals(Buffer.from(await got.arrayBuffer())))
  const refused = await fetch(url, { headers: { authorization: 'Basic eDp5' } })
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /Only one auth mechanism allowed/)

  // A client that follows redirections need not know: across origins it sends no credentials along.
  const raw = Buffer.from(await (await post('MessageRawGet', { MsgID: msgId }, 'follow')).arrayBuffer())
  assert.ok(raw.includes(`Message-Id: ${sent.json.MessageID}`))
  assert.ok(raw.includes(file.toString('base64', file.length - 30)))
})

test('UploadCreate answers an id, a URL for an hour, and when it ends', async () => {
  const began = Date.now()
  const { UploadID, URL: url, Expires } = await createUpload()
  assert.match(UploadID, /^[A-Za-z0-9_-]{24}$/)
  assert.equal(new URL(url).searchParams.get('X-Amz-Expires'), '3600')
  assert.ok(Math.abs(Date.parse(Expires) - began - HOUR) < MINUTE)
  assert.doesNotMatch(url, /checksum/i)
})

test('its URL is for this one PUT: no reading, no other name, no credentials beside it', async () => {
  const upload = await createUpload()
  await put(upload, Buffer.from('x'))
  assert.equal((await fetch(upload.URL)).status, 403)
  const elsewhere = upload.URL.replace(upload.UploadID, 'A'.repeat(24))
  assert.equal((await fetch(elsewhere, { method: 'PUT', body: 'x' })).status, 403)
  const headers = { authorization: 'Basic eDp5' }
  assert.equal((await fetch(upload.URL, { method: 'PUT', body: 'x', headers })).status, 400)
})

test('AT-72: 101 MB are messageTooLarge, and the upload is not read', async () => {
  const upload = await createUpload()
  await put(upload, Buffer.alloc(101 * MB))
  const began = performance.now()
  const { status, json } = await send({ AttachedFiles: [{ UploadID: upload.UploadID }] })
  assert.deepEqual([status, json.Code], [400, 'messageTooLarge'])
  assert.ok(performance.now() - began < 1_000)
})

test('AT-72: uploads that are too large together are messageTooLarge', async () => {
  const uploads = [await createUpload(), await createUpload()]
  for (const upload of uploads) await put(upload, Buffer.alloc(40 * MB))
  const { json } = await send({ AttachedFiles: uploads.map(({ UploadID }) => ({ UploadID })) })
  assert.equal(json.Code, 'messageTooLarge')
})

test('an upload is used by one Send; repeated under its Idempotency-Key it is the same Send', async () => {
  const upload = await createUpload()
  await put(upload, Buffer.from('once'))
  const request = { InlineFiles: [{ UploadID: upload.UploadID }] }
  const first = await send(request, 'upload once')
  assert.equal(first.status, 200)
  assert.deepEqual(await send(request, 'upload once'), first)
  const { status, json } = await send({ AttachedFiles: [{ UploadID: upload.UploadID }] })
  assert.deepEqual(
    [status, json.Code, json.Message],
    [400, 'user', 'AttachedFiles[0].UploadID: was used by another Send'],
  )
})

test('two Sends at the same time: one of them gets the upload', async () => {
  const upload = await createUpload()
  await put(upload, Buffer.from('once'))
  const request = { AttachedFiles: [{ UploadID: upload.UploadID }] }
  const answers = await Promise.all([send(request), send(request), send(request)])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400, 400])
})

test('a Send that fails leaves its upload for the next one', async () => {
  const upload = await createUpload()
  await put(upload, Buffer.from('x'))
  const request = { AttachedFiles: [{ UploadID: upload.UploadID }] }
  assert.equal((await send({ ...request, From: [{ Address: 'no@one.test' }] })).json.Code, 'badFrom')
  assert.equal((await send(request)).status, 200)
})

const refusals: readonly (readonly [rule: string, prepare: () => Promise<string>, text: RegExp])[] = [
  ['an unknown id', async () => 'A'.repeat(24), /the account has no such upload/],
  ['an upload of another account', uploadOfAnother, /the account has no such upload/],
  ['an upload without a file', async () => (await createUpload()).UploadID, /no file was put there/],
  ['an expired upload', expiredUpload, /has expired/],
]
for (const [rule, prepare, text] of refusals) {
  test(`${rule} is refused by its place in the request`, async () => {
    const UploadID = await prepare()
    const { status, json } = await send({ AlternativeFiles: [{ Data: 'QUJD' }, { UploadID }] })
    assert.deepEqual([status, json.Code], [400, 'user'])
    assert.match(String(json.Message), /^AlternativeFiles\[1\]\.UploadID: /)
    assert.match(String(json.Message), text)
  })
}

test('Data and UploadID exclude each other', async () => {
  const { json } = await send({ AttachedFiles: [{ Data: 'QUJD', UploadID: 'A'.repeat(24) }] })
  assert.equal(json.Message, 'AttachedFiles[0]: Data and UploadID: only one of them')
})

async function createUpload(): Promise<Upload> {
  return (await postern.call('UploadCreate', {})).json as unknown as Upload
}

async function put({ URL: url }: Upload, file: Buffer<ArrayBuffer>): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', body: file })
  assert.equal(answer.status, 200, await answer.text())
}

async function send(request: object, key?: string) {
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) }
  const answer = await postern.post('Send', JSON.stringify({ To: to, Text: 'x', ...request }), headers)
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}

async function uploadOfAnother(): Promise<string> {
  const password = 'other-password'
  await postern.admin.put('/accounts/other', { Addresses: ['other@localhost'], Password: password })
  // A running function may work with options that are five seconds old, and failed logins are counted.
  await sleep(5_000)
  const answer = await fetch(`${postern.local.cloud.apiUrl}/webapi/v0/UploadCreate`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${btoa(`other@localhost:${password}`)}`,
    },
    body: '{}',
  })
  const created = (await answer.json()) as Upload
  await put(created, Buffer.from('x'))
  return created.UploadID
}

async function expiredUpload(): Promise<string> {
  const upload = await createUpload()
  await put(upload, Buffer.from('x'))
  await changeItem(postern.table, {
    key: keys.upload('postern', upload.UploadID),
    update: 'SET #expiresAt = :past',
    values: { past: formatInstant(Date.now() - 1) },
  })
  return upload.UploadID
}

async function post(method: string, request: object, redirect: 'follow' | 'manual'): Promise<Response> {
  return await fetch(`${postern.local.cloud.apiUrl}/webapi/v0/${method}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${btoa('postern@localhost:posternpostern')}`,
    },
    body: JSON.stringify(request),
    redirect,
  })
}

async function mailOf(messageId: unknown): Promise<number> {
  const mail = await eventually(
    'the mail',
    async () => {
      const mails = await postern.admin.get<{ MsgID: number; MessageID: string }[]>('/mail')
      return mails.find(({ MessageID }) => MessageID === messageId)
    },
    60_000,
  )
  return mail.MsgID
}
