import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import type { WebhookCall } from '../../shared/webhook/webhook-call.ts'
import { deliverRaw } from './deliver-raw.ts'
import type { Installation, Step } from './integration-steps.ts'

/** What the webapi does beyond sending small messages and reading them. */
export const webapiSteps: readonly Step[] = [
  { name: 'the suppression list is read and changed', run: changeSuppressions },
  { name: 'a file is uploaded, sent and read back, in answers too large for a function', run: sendUpload },
  { name: 'a bounce changes its message and suppresses its recipient', run: bounce },
  { name: 'an event that waits is superseded, by the next attempt and by a bounce', run: supersedeEvents },
  { name: 'a bounce is found by the Message-ID of a Send to several', run: bounceByMessageId },
  { name: 'a copy that exceeds the quota is not kept', run: exceedQuota },
  { name: 'messages and new recipients of a day are counted', run: countMessages },
]

async function changeSuppressions(postern: Installation): Promise<void> {
  const entry = { EmailAddress: 'never@again.test' }
  await postern.webapi('SuppressionAdd', { ...entry, Manual: true, Reason: 'a test' })
  assert.match(String(await postern.webapi('SuppressionList', {})), /never@again\.test/)
  assert.match(String(await postern.webapi('SuppressionPresent', entry)), /true/)
  await postern.webapi('SuppressionRemove', entry)
  assert.match(String(await postern.webapi('SuppressionPresent', entry)), /false/)
}

async function sendUpload(postern: Installation): Promise<void> {
  const data = randomBytes(5_000_000)
  const { UploadID, URL: url } = JSON.parse(String(await postern.webapi('UploadCreate', {})))
  assert.equal((await fetch(url, { method: 'PUT', body: data })).status, 200)
  const AttachedFiles = [{ Name: 'large.bin', ContentType: 'application/x-large', UploadID }]
  const To = [{ Address: 'someone@one.test' }]
  await postern.webapi('Send', { To, Subject: 'uploaded', Text: 'x', AttachedFiles })
  const { MsgID } = await eventually('the mail with the upload', async () => {
    const mails = await postern.admin.get<{ MsgID: number; Subject: string }[]>('/mail')
    return mails.find(({ Subject }) => Subject === 'uploaded')
  })
  const raw = await postern.webapi('MessageRawGet', { MsgID })
  assert.ok(raw.length > data.length, 'the raw message is answered by redirection')
  const part = await postern.webapi('MessagePartGet', { MsgID, PartPath: [1] })
  assert.ok(part.equals(data), 'and so is a part of it')
}

async function bounce(postern: Installation): Promise<void> {
  const { FromID, row } = await sendOne(postern, 'bounced@one.test', 'bounced')
  await eventually('the message is delivered', async () => (await row())?.state === 'done')
  const failed = ['Action: failed', 'Status: 5.1.1', 'Diagnostic-Code: smtp; 550 5.1.1 no such user']
  await deliverRaw(postern.smtpPort, '', `postern+${FromID}@localhost`, notification('bounced', failed))
  assert.equal((await row())?.retired?.success, false)
}

/** The application refuses the first call of each event, which waits then. */
async function supersedeEvents(postern: Installation): Promise<void> {
  const delayed = await sendOne(postern, 'c+451@three.test', 'flaky')
  const first = await waitingCall(postern, delayed)
  const Filter = { IDs: [`${localSeed.account}/${delayed.QueueMsgID}`] }
  await postern.admin.post('/queue/actions', { Action: 'schedule', At: 'now', Filter })
  await eventually('the next attempt supersedes', async () => (await readCall(postern, first))?.supersededBy)
  await postern.admin.post('/queue/actions', { Action: 'drop', Filter })

  const bounced = await sendOne(postern, 'later@one.test', 'flaky')
  const told = await waitingCall(postern, bounced)
  const failed = ['Action: failed', 'Status: 5.2.2']
  await deliverRaw(postern.smtpPort, '', `postern+${bounced.FromID}@localhost`, notification('later', failed))
  assert.ok((await readCall(postern, told))?.supersededBy, 'the bounce supersedes')
}

/** A message to one recipient, whose FromID names it. */
export interface SentOne {
  readonly FromID: string
  readonly QueueMsgID: RowId
  row(): Promise<QueuedMessage | undefined>
}

/** Sends it; the account has several addresses. */
export async function sendOne(
  postern: Installation,
  address: string,
  Subject: string,
  sender: string = localSeed.address,
): Promise<SentOne> {
  const request = { From: [{ Address: sender }], To: [{ Address: address }], Subject, Text: 'x' }
  const sent = JSON.parse(String(await postern.webapi('Send', request)))
  const [{ FromID, QueueMsgID }] = sent.Submissions
  const store = dynamoQueueStore(postern.table, systemClock)
  return { FromID, QueueMsgID, row: async () => await store.read(localSeed.account, QueueMsgID) }
}

/** The message's call, once the application has refused it. */
export async function waitingCall(postern: Installation, { row }: SentOne): Promise<RowId> {
  return await eventually('its call waits', async () => {
    const id = (await row())?.lastCall
    const call = id && (await readCall(postern, id))
    return call && call.state === 'waiting' && call.attempts === 1 && id
  })
}

export async function readCall({ table }: Installation, id: RowId): Promise<WebhookCall | undefined> {
  return await dynamoWebhookStore(table, systemClock).read(localSeed.account, id)
}

/** A notification (RFC 3464) about a recipient at one.test. */
function notification(recipient: string, fields: readonly string[]): string {
  return [
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    ...['', '--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.one.test', ''],
    ...[`Final-Recipient: rfc822; ${recipient}@one.test`, ...fields, '', '--b--', ''],
  ].join('\r\n')
}

async function bounceByMessageId(postern: Installation): Promise<void> {
  const authorization = `Basic ${btoa(`postern+plain@localhost:${localSeed.password}`)}`
  const To = ['first@one.test', 'second@one.test'].map((Address) => ({ Address }))
  const request = { To, Subject: 'bounced later', Text: 'x', MessageID: '<bounced@localhost>' }
  const sent = JSON.parse(String(await postern.webapi('Send', request, { authorization })))
  const rows = async () => {
    const ids: RowId[] = sent.Submissions.map(({ QueueMsgID }: { QueueMsgID: RowId }) => QueueMsgID)
    const store = dynamoQueueStore(postern.table, systemClock)
    return await Promise.all(ids.map((id) => store.read(localSeed.account, id)))
  }
  await eventually('both are delivered', async () => (await rows()).every((row) => row?.state === 'done'))
  const message = [
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    ...['', '--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.one.test', ''],
    ...['Final-Recipient: rfc822; second@one.test', 'Action: failed', 'Status: 5.2.2', ''],
    ...['--b', 'Content-Type: text/rfc822-headers', '', 'Message-ID: <bounced@localhost>', '--b--', ''],
  ].join('\r\n')
  await deliverRaw(postern.smtpPort, '', 'postern@localhost', message)
  assert.deepEqual(
    (await rows()).map((row) => row?.retired?.success),
    [true, false],
  )
}

async function exceedQuota(postern: Installation): Promise<void> {
  const path = `/accounts/${localSeed.account}`
  await postern.admin.patch(path, { QuotaMessageSize: 1 })
  const To = [{ Address: 'someone@one.test' }]
  await eventually('the quota is known', async () => {
    const sent = postern.webapi('Send', { To, Subject: 'not kept', Text: 'x', SaveSent: true })
    return await sent.then(
      () => false,
      (error: Error) => /sentOverQuota/.test(error.message),
    )
  })
  await postern.admin.patch(path, { QuotaMessageSize: 0 })
}

async function countMessages(postern: Installation): Promise<void> {
  const path = `/accounts/${localSeed.account}`
  await postern.admin.patch(path, { MaxOutgoingMessagesPerDay: 1, MaxFirstTimeRecipientsPerDay: 1 })
  const To = [{ Address: 'one@new.test' }, { Address: 'two@new.test' }]
  await eventually('the limit is known', async () => {
    const limited = postern.webapi('Send', { To, Subject: 'limited', Text: 'x' })
    return await limited.then(
      () => false,
      (error: Error) => /messageLimitReached/.test(error.message),
    )
  })
  await postern.admin.patch(path, { MaxOutgoingMessagesPerDay: 1000, MaxFirstTimeRecipientsPerDay: 1 })
  await eventually('the limit of new recipients is known', async () => {
    const limited = postern.webapi('Send', {
      To: [{ Address: `${randomBytes(4).toString('hex')}x@new.test` }],
      Text: 'x',
    })
    return await limited.then(
      () => false,
      (error: Error) => /recipientLimitReached/.test(error.message),
    )
  })
  await postern.admin.patch(path, { MaxOutgoingMessagesPerDay: 0, MaxFirstTimeRecipientsPerDay: 0 })
}
