import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { simpleParser } from 'mailparser'
import * as z from 'zod/mini'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { getItem, queryItems } from '../../shared/adapters/aws/dynamo.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import { HOUR } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { readMimeTree } from '../../shared/message/mime-tree.ts'
import { wireStructure } from '../../shared/message/wire-message.ts'
import { methods } from '../../shared/webapi/methods.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

interface Got {
  readonly Message: Record<string, unknown>
  readonly Structure: Record<string, unknown>
  readonly Meta: Record<string, unknown>
}

let postern: TestPostern
const ends: (() => Promise<void>)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => Promise<void>) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('a copy in Sent is what was asked for, blind recipients included, and goes through all methods (AT-16, AT-21 to AT-26)', async (context) => {
  const pdf = Buffer.from('%PDF-1.4\n')
  const png = Buffer.from('89504e470d0a1a0a', 'hex')
  const request = {
    From: [{ Name: 'Übung', Address: 'postern@localhost' }],
    To: [
      { Name: 'Ann', Address: 'ann@remote.test' },
      { Name: '', Address: 'bob@remote.test' },
    ],
    CC: [{ Name: 'Zoë', Address: 'zoe@remote.test' }],
    BCC: [{ Name: 'Hidden', Address: 'hidden@remote.test' }],
    ReplyTo: [{ Name: 'Reply', Address: 'reply@remote.test' }],
    MessageID: '<order-17@localhost>',
    References: ['<order-15@localhost>', '<order-16@localhost>'],
    Date: '2026-01-02T03:04:05.000Z',
    Subject: '¡hello! Order 17',
    Text: 'hi ☺\n',
    HTML: '<html><img src="cid:logo"></html>',
  }
  const sent = await postern.call('Send', {
    ...request,
    AlternativeFiles: [{ Name: 'a.ics', ContentType: 'text/calendar', Data: base64(Buffer.from('BEGIN\n')) }],
    InlineFiles: [{ Name: 'l.png', ContentType: 'image/png', ContentID: '<logo>', Data: base64(png) }],
    AttachedFiles: [{ Name: 'x.pdf', Data: base64(pdf) }],
    SaveSent: true,
  })
  assert.equal(sent.status, 200, JSON.stringify(sent.json))
  const MsgID = await savedMsgId(String(sent.json.MessageID))

  await context.test('AT-16: it reads back as it was sent, with a final newline', async () => {
    const { Message, Structure, Meta } = await get(MsgID)
    assert.deepEqual(Message, { ...request, HTML: `${request.HTML}\n` })
    assert.deepEqual(typesOf(Structure), [
      'multipart/mixed',
      [
        'multipart/related',
        ['multipart/alternative', ['text/plain'], ['text/html'], ['text/calendar']],
        ['image/png'],
      ],
      ['application/pdf'],
    ])
    assert.deepEqual([Meta.MailboxName, Meta.Flags], ['Sent', ['$notjunk', '\\seen']])
    const raw = (await bytes('MessageRawGet', { MsgID })).toString()
    assert.ok(raw.startsWith('Bcc: Hidden <hidden@remote.test>\r\nFrom: '), raw.slice(0, 80))
    assert.doesNotMatch(raw, /^Received:/m)
  })

  await context.test('AT-21: its raw octets have the same structure', async () => {
    const raw = await bytes('MessageRawGet', { MsgID })
    const { Structure, Meta } = await get(MsgID)
    assert.equal(raw.length, Meta.Size)
    assert.deepEqual(wireStructure(readMimeTree(raw)), Structure)
    // And to somebody else's parser the same contents.
    const { attachments, text, html } = await simpleParser(raw, { keepCidLinks: true })
    assert.deepEqual([text, html], [request.Text, `${request.HTML}\n`])
    assert.deepEqual(
      attachments.map(({ contentType, filename, cid }) => [contentType, filename, cid]),
      [
        ['text/calendar', 'a.ics', undefined],
        ['image/png', 'l.png', 'logo'],
        ['application/pdf', 'x.pdf', undefined],
      ],
    )
  })

  await context.test(
    'AT-22: parts are decoded, with CRLF; [] is the whole body; others are not found',
    async () => {
      assert.equal(
        (await bytes('MessagePartGet', { MsgID, PartPath: [0, 0, 1] })).toString(),
        `${request.HTML}\r\n`,
      )
      assert.deepEqual(await bytes('MessagePartGet', { MsgID, PartPath: [0, 1] }), png)
      assert.deepEqual(await bytes('MessagePartGet', { MsgID, PartPath: [1] }), pdf)
      assert.ok((await bytes('MessagePartGet', { MsgID })).length > 500)
      await refused('partNotFound', 'MessagePartGet', { MsgID, PartPath: [2] })
    },
  )

  await context.test(
    'AT-23: flags are added, in lower case and in order; adding them again changes nothing',
    async () => {
      await done('MessageFlagsAdd', { MsgID, Flags: ['\\answered', '$Forwarded', 'custom', 'Custom'] })
      const flags = ['$forwarded', '$notjunk', '\\answered', '\\seen', 'custom']
      assert.deepEqual((await get(MsgID)).Meta.Flags, flags)
      const changed = await changes('Sent')
      await done('MessageFlagsAdd', { MsgID, Flags: ['\\Answered', '$forwarded', 'CUSTOM'] })
      await done('MessageFlagsAdd', { MsgID, Flags: [] })
      assert.deepEqual((await get(MsgID)).Meta.Flags, flags)
      assert.deepEqual(await changes('Sent'), changed)
    },
  )

  await context.test('AT-24: flags are removed; removing them again is fine', async () => {
    const flags = ['$notjunk', '\\seen']
    for (const Flags of [['\\Answered', '$forwarded', 'Custom'], ['\\answered']]) {
      await done('MessageFlagsRemove', { MsgID, Flags })
      assert.deepEqual((await get(MsgID)).Meta.Flags, flags)
    }
  })

  await context.test('what is no flag is refused by its place, and nothing is changed', async () => {
    for (const method of ['MessageFlagsAdd', 'MessageFlagsRemove']) {
      for (const flag of ['', 'a b', '\\bogus', 'a(b', 'é']) {
        const message = await refused('user', method, { MsgID, Flags: ['fine', flag] })
        assert.match(message, /^Flags\[1\]: /)
      }
    }
    assert.deepEqual((await get(MsgID)).Meta.Flags, ['$notjunk', '\\seen'])
  })

  await context.test(
    'AT-25: it moves to Inbox under the same MsgID; other mailboxes and its own are refused',
    async () => {
      const bogus = await refused('user', 'MessageMove', { MsgID, DestMailboxName: 'bogus' })
      assert.match(bogus, /bogus/)
      for (const name of ['inbox', 'INBOX', '', 'constructor']) {
        await refused('user', 'MessageMove', { MsgID, DestMailboxName: name })
      }
      const same = await refused('user', 'MessageMove', { MsgID, DestMailboxName: 'Sent' })
      assert.match(same, /already in/)
      for (const [name, flags] of [
        ['Inbox', ['\\seen']],
        ['Junk', ['$junk', '\\seen']],
        ['Archive', ['$notjunk', '\\seen']],
        ['Drafts', ['$notjunk', '\\seen']],
        ['Trash', ['$notjunk', '\\seen']],
      ] as const) {
        await done('MessageMove', { MsgID, DestMailboxName: name })
        const { Meta } = await get(MsgID)
        assert.deepEqual([Meta.MailboxName, Meta.Flags], [name, flags])
      }
    },
  )

  await context.test(
    'AT-26: it is removed once, and known as removed to those who would change it',
    async () => {
      await done('MessageDelete', { MsgID })
      for (const method of ['MessageGet', 'MessageRawGet', 'MessagePartGet']) {
        await refused('messageNotFound', method, { MsgID })
      }
      await refused('user', 'MessageDelete', { MsgID })
      await refused('user', 'MessageFlagsAdd', { MsgID, Flags: ['\\seen'] })
      await refused('user', 'MessageFlagsRemove', { MsgID, Flags: ['\\seen'] })
      await refused('user', 'MessageMove', { MsgID, DestMailboxName: 'Inbox' })
      assert.ok(!(await savedMsgIds()).includes(MsgID))
    },
  )

  await context.test('nothing of it is left but that it was', async () => {
    const id = MsgID as RowId
    const item = (await getItem(postern.table, keys.mail(localSeed.account, id))) ?? {}
    const left = ['account', 'content', 'expires', 'id', 'mailbox', 'modseq', 'pk', 'removed', 'sk', 'uid']
    assert.deepEqual(Object.keys(item).sort(), left)
    assert.equal(await getItem(postern.table, keys.content(`mail/${localSeed.account}/${id}`)), undefined)
    for (const mailbox of ['Sent', 'Trash']) assert.ok(!(await uids(mailbox)).some((row) => row.id === id))
  })
})

test('AT-20, AT-21, AT-22, AT-23, AT-24, AT-25, AT-26: a message that never was is not found, and no MsgID is none', async () => {
  for (const [method, more] of [
    ['MessageGet', {}],
    ['MessageRawGet', {}],
    ['MessagePartGet', { PartPath: [] }],
    ['MessageDelete', {}],
    ['MessageFlagsAdd', { Flags: ['\\seen'] }],
    ['MessageFlagsRemove', { Flags: ['\\seen'] }],
    ['MessageMove', { DestMailboxName: 'Inbox' }],
  ] as const) {
    await refused('messageNotFound', method, { MsgID: 999, ...more })
    await refused('messageNotFound', method, { MsgID: -1, ...more })
    await refused(/Get$/.test(method) ? 'messageNotFound' : 'user', method, { ...more })
  }
})

test('a removed message is forgotten after 30 days', async () => {
  const MsgID = await saved({ Subject: 'to be forgotten' })
  await done('MessageDelete', { MsgID })
  const found = async (hours: number) => {
    const clock = { now: () => Date.now() + hours * HOUR }
    const { mailboxes } = storesOf(postern.table, clock)
    return await mailboxes.change(localSeed.account, MsgID as RowId, () => undefined)
  }
  assert.equal((await found(30 * 24 - 1)).kind, 'removed')
  assert.deepEqual(await found(30 * 24 + 1), { kind: 'unknown' })
})

test('content that lies in S3 goes with its message', async () => {
  const MsgID = await saved({ AttachedFiles: [{ Name: 'x.bin', Data: base64(randomBytes(60_000)) }] })
  const { cloud } = postern.local
  const s3 = new S3Client({ ...cloud.clientConfig(), forcePathStyle: true })
  try {
    const objects = async () => {
      const Prefix = `mail/${localSeed.account}/${MsgID}`
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: cloud.outputs.Bucket, Prefix }))
      return Contents?.length ?? 0
    }
    assert.equal(await objects(), 1)
    await done('MessageDelete', { MsgID })
    assert.equal(await objects(), 0)
  } finally {
    s3.destroy()
  }
})

test('a removal that ended half-way is completed by the next one, which is told that it was done', async () => {
  const MsgID = await saved({ Subject: 'half removed' })
  const { mailboxes } = storesOf(postern.table)
  await mailboxes.change(localSeed.account, MsgID as RowId, () => ({ kind: 'remove' }))
  const content = keys.content(`mail/${localSeed.account}/${MsgID as RowId}`)
  assert.ok(await getItem(postern.table, content))
  await refused('user', 'MessageDelete', { MsgID })
  assert.equal(await getItem(postern.table, content), undefined)
})

test('parallel changes lose nothing: numbers grow one by one, and the change log tells every one (RFC 7162 §3.1)', async () => {
  const ids = await Promise.all(['a', 'b', 'c', 'd'].map((Subject) => saved({ Subject })))
  const before = await changes('Sent')
  const flags = ids.flatMap((MsgID) =>
    ['one', 'two', 'three'].map((flag) => done('MessageFlagsAdd', { MsgID, Flags: [flag] })),
  )
  await Promise.all([...flags, saved({ Subject: 'e' }), saved({ Subject: 'f' })])
  for (const MsgID of ids) {
    assert.deepEqual((await get(MsgID)).Meta.Flags, ['$notjunk', '\\seen', 'one', 'three', 'two'])
  }
  const moved = ids.slice(0, 2)
  await Promise.all(moved.map((MsgID) => done('MessageMove', { MsgID, DestMailboxName: 'Archive' })))

  const log = await changes('Sent')
  const news = log.slice(before.length).map(({ change }) => change)
  assert.deepEqual(count(news), { added: 2, changed: 12, removed: 2 })
  const mailbox = await getItem(postern.table, keys.mailbox(localSeed.account, 'Sent'))
  assert.deepEqual(
    log.map(({ sk }) => Number(sk)),
    Array.from(log.keys(), (place) => place + 1),
  )
  assert.equal(mailbox?.modseq, log.length)

  const places = await uids('Archive')
  for (const MsgID of moved) {
    const item = await getItem(postern.table, keys.mail(localSeed.account, MsgID as RowId))
    const place = places.find((row) => row.id === MsgID)
    assert.deepEqual([item?.mailbox, item?.uid], ['Archive', Number(place?.sk)])
    const [last] = (await changes('Archive')).filter(({ id }) => id === MsgID)
    assert.deepEqual([last?.change, last?.uid, Number(last?.sk)], ['added', item?.uid, item?.modseq])
  }
})

test('what arrives by SMTP is in the change log of Inbox', async () => {
  const before = await changes('Inbox')
  const sent = await postern.call('Send', {
    To: [{ Address: 'ann@remote.test' }],
    Text: 'x',
    Subject: 'arrival',
  })
  assert.equal(sent.status, 200)
  const id = await eventually('the mail', async () => {
    const mails = await postern.admin.get<{ MsgID: number; Subject: string }[]>('/mail')
    return mails.find(({ Subject }) => Subject === 'arrival')?.MsgID
  })
  const row = (await changes('Inbox')).slice(before.length).find((each) => each.id === id)
  const item = await getItem(postern.table, keys.mail(localSeed.account, id as RowId))
  assert.deepEqual([row?.change, row?.uid, Number(row?.sk)], ['added', item?.uid, item?.modseq])
})

test('pages and the OpenAPI document are there without a login', async () => {
  const { apiUrl } = postern.local.cloud
  for (const path of ['', 'Send', 'MessageRawGet', 'page.js', 'page.css', 'openapi.json']) {
    assert.equal((await fetch(`${apiUrl}/webapi/v0/${path}`)).status, 200, path)
  }
})

async function done(method: string, request: object): Promise<void> {
  const { status, json } = await postern.call(method, request)
  assert.deepEqual([status, json], [200, {}])
}

/** Demands a refusal, and answers what it says. */
async function refused(code: string, method: string, request: object): Promise<string> {
  const { status, json } = await postern.call(method, request)
  assert.deepEqual([status, json.Code], [400, code], `${method} ${JSON.stringify(json)}`)
  return String(json.Message)
}

async function get(MsgID: number): Promise<Got> {
  const { status, json } = await postern.call('MessageGet', { MsgID })
  assert.equal(status, 200, JSON.stringify(json))
  const { returns } = methods.MessageGet ?? assert.fail()
  if (returns.kind === 'json')
    assert.deepEqual(z.parse(returns.result, json), json, 'the answer as described')
  return json as unknown as Got
}

async function bytes(method: string, request: object): Promise<Buffer> {
  const form = new URLSearchParams({ request: JSON.stringify(request) }).toString()
  const answer = await postern.post(method, form, { 'content-type': 'application/x-www-form-urlencoded' })
  assert.equal(answer.status, 200)
  return Buffer.from(await answer.arrayBuffer())
}

/** Sends a message and answers the MsgID of its copy. */
async function saved(request: object): Promise<number> {
  const To = [{ Address: 'ann@remote.test' }]
  const { status, json } = await postern.call('Send', { To, Text: 'x', ...request, SaveSent: true })
  assert.equal(status, 200, JSON.stringify(json))
  return await savedMsgId(String(json.MessageID))
}

async function savedMsgId(messageId: string): Promise<number> {
  return await eventually('the copy is listed', async () => {
    const mails =
      await postern.admin.get<{ MsgID: number; MessageID: string; MailboxName: string }[]>('/mail')
    return mails.find((mail) => mail.MailboxName === 'Sent' && mail.MessageID === messageId)?.MsgID
  })
}

async function savedMsgIds(): Promise<readonly number[]> {
  return (await postern.admin.get<{ MsgID: number }[]>('/mail')).map(({ MsgID }) => MsgID)
}

function changes(mailbox: string) {
  const { pk } = keys.mailboxChange(localSeed.account, mailbox, 0)
  return queryItems(postern.table, { condition: '#pk = :pk', values: { pk }, limit: 1000 })
}

function uids(mailbox: string) {
  const { pk } = keys.uid(localSeed.account, mailbox, 0)
  return queryItems(postern.table, { condition: '#pk = :pk', values: { pk }, limit: 1000 })
}

/** A structure as nested lists: the type, then the parts. */
function typesOf(structure: Record<string, unknown>): readonly unknown[] {
  return [structure.ContentType, ...(structure.Parts as Record<string, unknown>[]).map(typesOf)]
}

function count(values: readonly unknown[]): Record<string, number> {
  const groups = Object.groupBy(values.map(String), (value) => value)
  return Object.fromEntries(Object.entries(groups).map(([value, group]) => [value, group?.length ?? 0]))
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}
