import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('a permanent failure puts one notice into the sender’s Inbox, with the reply and the header (RFC 3464)', async () => {
  const sent = await postern.call('Send', {
    To: [{ Address: 'gone+permerror@remote.test' }],
    Subject: 'Order 17',
    Text: 'secret text',
  })
  const { MsgID } = await noticeFor(String(sent.json.MessageID))
  const { json } = await postern.call('MessageGet', { MsgID })
  const { Message, Structure, Meta } = json as {
    Message: { From: { Address: string }[]; Subject: string; Text: string; References: string[] }
    Structure: { ContentType: string; Parts: { ContentType: string }[] }
    Meta: { DSN: boolean; MailFrom: string; MailboxName: string }
  }
  assert.equal(Message.Subject, 'mail delivery failed')
  assert.deepEqual(Message.From[0]?.Address, 'postmaster@localhost')
  assert.deepEqual(Message.References, [sent.json.MessageID])
  assert.match(Message.Text, /gone\+permerror@remote\.test/)
  assert.deepEqual([Meta.DSN, Meta.MailFrom, Meta.MailboxName], [true, '', 'Inbox'])
  assert.equal(Structure.ContentType, 'multipart/report')
  assert.deepEqual(
    Structure.Parts.map(({ ContentType }) => ContentType),
    ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  )
  const part = async (place: number) =>
    await (
      await postern.post('MessagePartGet', JSON.stringify({ MsgID, PartPath: [place] }), JSON_BODY)
    ).text()
  const status = await part(1)
  assert.match(status, /^Reporting-MTA: dns; ?localhost\r\n/)
  assert.match(status, /Final-Recipient: rfc822; ?gone\+permerror@remote\.test\r\n/)
  assert.match(status, /Action: failed\r\n/)
  assert.match(status, /Status: 5\.0\.0/)
  assert.match(status, /Diagnostic-Code: smtp; ?550/)
  const header = await part(2)
  assert.match(header, /Subject: Order 17/)
  assert.doesNotMatch(header, /secret text/)
})

test('a notice that is owed is given once, however often it is asked for', async () => {
  const sent = await postern.call('Send', { To: [{ Address: 'x+permerror@once.test' }], Text: 'x' })
  const [submission] = sent.json.Submissions as { QueueMsgID: number }[]
  await noticeFor(String(sent.json.MessageID))
  const { queue } = storesOf(postern.table)
  const rows = await queue.due('postern', Date.now() + 3_600_000, 100)
  assert.equal(
    rows.find(({ id }) => id === submission?.QueueMsgID),
    undefined,
    'nothing is owed any more',
  )
  await postern.local.cloud.invoke('WorkersSweepFunction', {})
  assert.equal((await noticesFor(String(sent.json.MessageID))).length, 1)
})

const JSON_BODY = { 'content-type': 'application/json' }

interface ListedMail {
  readonly MsgID: number
  readonly Subject: string
}

async function noticesFor(messageId: string): Promise<readonly ListedMail[]> {
  const mails = await postern.admin.get<ListedMail[]>('/mail')
  const notices = mails.filter(({ Subject }) => Subject.startsWith('mail delivery'))
  const read = await Promise.all(
    notices.map(async (mail) => {
      const { json } = await postern.call('MessageGet', { MsgID: mail.MsgID })
      const { References } = json.Message as { References: string[] }
      return References.includes(messageId) ? [mail] : []
    }),
  )
  return read.flat()
}

async function noticeFor(messageId: string): Promise<ListedMail> {
  return await eventually(`a notice for ${messageId}`, async () => (await noticesFor(messageId))[0])
}
