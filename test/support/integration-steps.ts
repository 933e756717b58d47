import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { LocalCloud } from '../../infra/local/boot.ts'
import { type AdminClient, adminClient } from '../../scripts/cli/client.ts'
import { eventually } from '../../scripts/eventually.ts'
import { type LocalPorts, type LocalPostern, localSeed } from '../../scripts/local-postern.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { changeItem, getItem, type Table } from '../../shared/adapters/aws/dynamo.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import { parseAddress } from '../../shared/address/address.ts'
import type { DomainSetJson } from '../../shared/admin/domains.ts'
import type { ImportJson } from '../../shared/admin/suppression-import.ts'
import type { NewWebhookSecretJson, WebhookSecretJson } from '../../shared/admin/webhook-secrets.ts'
import { beginAttempt } from '../../shared/attempts/begin-attempt.ts'
import type { HintChannel } from '../../shared/attempts/hint-channel.ts'
import { formatInstant, MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { type ContentStore, queueContent } from '../../shared/content/content-store.ts'
import type { QueueStore } from '../../shared/queue/queue-store.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { submit } from '../../shared/queue/submit.ts'
import { fakeClock } from './fake-clock.ts'
import type { HoldingRelay } from './holding-relay.ts'
import type { LoginRelay } from './login-relay.ts'
import type { MailHost } from './mail-host.ts'
import type { ReceivedCall, WebhookReceiver } from './webhook-receiver.ts'

/** A running Postern, as its operator and its account reach it. */
export interface Installation {
  readonly cloud: LocalCloud
  readonly admin: AdminClient
  readonly table: Table
  readonly s3: S3Client
  readonly smtpPort: number
  readonly submissionPort: number
  /** A call of the webapi as the seeded account; throws what a refusal says. */
  webapi(method: string, request: object, headers?: Readonly<Record<string, string>>): Promise<Buffer>
  /** Invokes the sweep, as its schedule does every minute. */
  sweep(): Promise<unknown>
  stop(): Promise<void>
}

/** What is outside of Postern. */
export interface Outside {
  /** The account's webhooks go there. */
  readonly application: WebhookReceiver
  /** Mail to slow.test goes there. */
  readonly relay: HoldingRelay
  /** Mail to login.test goes there. */
  readonly loginRelay: LoginRelay
  /** The server of direct.test, and of the domains below it. */
  readonly mailHost: MailHost
}

/** One thing that the product does, with every store and queue that it needs for it. */
export interface Step {
  readonly name: string
  run(postern: Installation, outside: Outside): Promise<void>
}

/** How long a claim of the deliver function holds in the run, so that another worker can take it over. */
export const staleLeaseSeconds = 1

/** In this order: what needs the account's webhooks comes when the listener has heard of them. */
export const steps: readonly Step[] = [
  { name: 'the settings of the account', run: changeSettings },
  { name: 'admin: resources are created, shown, changed and removed', run: administer },
  { name: 'admin: a webhook secret is made, replaced and shown', run: administerSecrets },
  { name: 'admin: a suppression list is imported, read and changed', run: administerSuppressions },
  { name: 'Send to several: delivered, failed and delayed', run: sendToSeveral },
  { name: 'the sweep finds a message whose hint was lost', run: sweepLostHint },
  { name: 'the sweep looks at a claimed message again', run: sweepClaimed },
  { name: 'a result that comes after the lease is kept', run: keepLateResult },
  { name: 'the sweep removes a Send that was never committed', run: sweepUncommitted },
  { name: 'a webhook call fails, waits and is retried', run: retryWebhook },
  { name: 'mail arrives, and calls with small, stored and large bodies say so', run: receiveMail },
  { name: 'mail is read, small and large', run: readMail },
  { name: 'a wrong password is refused, and the right one is not', run: logIn },
  { name: 'a Send with a key is repeated, finished for a dead one, and refused late', run: sendWithKey },
  { name: 'a sent mail is kept, flagged, moved and removed', run: changeMail },
]

/** What a restart must not lose. */
export const restartSteps = {
  async before(postern: Installation): Promise<readonly unknown[]> {
    const kept = await shown(postern)
    await postern.stop()
    return kept
  },
  async after(postern: Installation, kept: readonly unknown[]): Promise<void> {
    assert.deepEqual(await shown(postern), kept)
    await sendTo(postern, ['again@one.test'], { Subject: 'again' })
    await mailOf(postern, 'again')
  },
}

/** The interfaces of a booted Postern. */
export function openInstallation({ cloud, stop }: LocalPostern, ports: LocalPorts): Installation {
  const { apiUrl, outputs } = cloud
  const authorization = `Basic ${btoa(`${localSeed.address}:${localSeed.password}`)}`
  const s3 = new S3Client({ ...cloud.clientConfig(), forcePathStyle: true })
  const client = new DynamoDBClient(cloud.clientConfig())
  return {
    cloud,
    admin: adminClient({ url: apiUrl, password: localSeed.adminPassword }),
    table: { client, name: outputs.TableName ?? '', random: systemRandom },
    s3,
    smtpPort: ports.smtpPort,
    submissionPort: ports.submissionPort,
    async webapi(method, request, headers) {
      const answer = await fetch(`${apiUrl}/webapi/v0/${method}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(request),
      })
      const body = Buffer.from(await answer.arrayBuffer())
      if (answer.status !== 200) throw new Error(`${method} answered ${answer.status}: ${body}`)
      return body
    },
    sweep: () => cloud.invoke('WorkersSweepFunction', {}),
    async stop() {
      s3.destroy()
      client.destroy()
      await stop()
    },
  }
}

/** When a listener that knew the settings before must know these. */
let settingsKnownAtMs = 0

async function changeSettings({ admin }: Installation, { application, relay }: Outside): Promise<void> {
  await admin.put('/transports/slow', { Host: '127.0.0.1', Port: relay.port, TLS: 'none' })
  const routes = await admin.get<object[]>('/routes')
  await admin.put('/routes', [{ ToDomain: ['slow.test'], Transport: 'slow' }, ...routes])
  await admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out` },
    IncomingWebhook: { URL: `${application.url}/in` },
  })
  // A login with unique reverse-paths needs a separator, which this domain has not.
  await admin.put('/domains/plain.test', { LocalpartCatchallSeparators: [] })
  await admin.put('/addresses/plain@plain.test', { Account: localSeed.account })
  settingsKnownAtMs = performance.now() + 5 * SECOND
}

async function administer({ admin }: Installation): Promise<void> {
  const Password = 'a long password'
  // What the account sends from here on is signed.
  await admin.post('/domains/localhost/dkim', { Algorithm: 'ed25519-sha256' })
  await admin.put('/password', { Password: localSeed.adminPassword })
  await admin.put('/hostname', await admin.get<object>('/hostname'))
  const { SES } = await admin.put<DomainSetJson>('/domains/second.test', { LocalpartCatchallSeparators: [] })
  assert.partialDeepStrictEqual(SES, { Verified: true, MailFrom: { Domain: 'ses-mail.second.test' } })
  await admin.patch('/domains/second.test', { Disabled: true })
  await admin.post('/domains/second.test/dkim', { Selector: 'old', Algorithm: 'ed25519-sha256' })
  await admin.remove('/domains/second.test/dkim/old')
  await admin.put('/accounts/second', { Password, Addresses: ['one@second.test', 'two@second.test'] })
  await admin.put('/accounts/second/password', { Password })
  await admin.patch('/accounts/second', { FullName: 'Second' })
  await admin.put('/addresses/three@second.test', { Account: 'second' })
  await admin.patch('/addresses/three@second.test', { Account: localSeed.account })
  await admin.patch('/addresses/three@second.test', { Account: 'second' })
  await admin.put('/transports/other', { Host: 'relay.test', Port: 25, TLS: 'none' })
  for (const path of ['/domains', '/accounts', '/addresses', '/transports', '/routes', '/queue', '/mail']) {
    await admin.get(path)
  }
  for (const path of ['/domains/second.test', '/accounts/second', '/addresses/one@second.test']) {
    await admin.get(path)
  }
  await admin.remove('/transports/other')
  await admin.remove('/addresses/one@second.test')
  await admin.remove('/accounts/second')
  assert.deepEqual(await admin.remove('/domains/second.test'), { SES: null })
  assert.deepEqual(await admin.get<object[]>('/addresses?domain=second.test'), [])
}

async function administerSecrets({ admin }: Installation): Promise<void> {
  const path = '/accounts/postern/webhook-secrets/incoming'
  const { Secret } = await admin.post<NewWebhookSecretJson>(path, {})
  assert.match(Secret, /^whsec_/)
  assert.notEqual((await admin.get<WebhookSecretJson>(path)).PreviousUntil, null)
  await admin.remove(`${path}/previous`)
  assert.equal((await admin.get<WebhookSecretJson>(path)).PreviousUntil, null)
}

async function administerSuppressions({ admin }: Installation): Promise<void> {
  const list = '/suppressions/postern'
  await admin.put(`${list}/never@again.test`, { Reason: 'a test' })
  const rows = ['Never+x@again.test', 'nor@me.test'].map((Address) => ({ Address }))
  const { Added, Present } = await admin.post<ImportJson>(`${list}/import`, rows)
  assert.deepEqual([Added, Present], [1, 1])
  assert.equal((await admin.get<object[]>('/suppressions?account=postern')).length, 2)
  assert.equal((await admin.get<object[]>('/suppressions/lookup?address=nor%40me.test')).length, 1)
  for (const { Address } of rows) await admin.remove(`${list}/${encodeURIComponent(Address)}`)
  assert.deepEqual(await admin.get<object[]>('/suppressions/export?format=json'), [])
}

async function sendToSeveral(postern: Installation, { application }: Outside): Promise<void> {
  const addresses = ['a@one.test', 'b+permerror@two.test', 'c+451@three.test']
  const ids = await sendTo(postern, addresses, { Subject: 'several' })
  const events = await eventually('an event for each recipient', () => {
    const calls = callsOf(application, '/out', 'several')
    return calls.length === ids.length && calls.map(({ json }) => [json.QueueMsgID, json.Event])
  })
  assert.deepEqual(
    ids.map((id) => events.find(([of]) => of === id)?.[1]),
    ['delivered', 'failed', 'delayed'],
  )
  const queued = await postern.admin.get<{ ID: number }[]>('/queue')
  assert.deepEqual(
    queued.map(({ ID }) => ID),
    ids.slice(2),
  )
}

async function sweepLostHint(postern: Installation): Promise<void> {
  const row = await submitUnhinted(postern, 'lost-hint')
  await postern.sweep()
  await eventually('the message is done', async () => (await read(postern, row))?.state === 'done')
}

async function sweepClaimed(postern: Installation): Promise<void> {
  const row = await submitUnhinted(postern, 'claimed')
  const claimed = await claim(postern, row)
  assert.ok(claimed?.lease)
  await postern.sweep()
  const item = await getItem(postern.table, keys.message(row.account, row.id))
  assert.equal(String(item?.dueAt).split('#')[0], formatInstant(claimed.lease.endsAt))
}

async function keepLateResult(postern: Installation, { relay }: Outside): Promise<void> {
  const [id = 0] = await sendTo(postern, ['late@slow.test'], { Subject: 'late' })
  const row = { account: localSeed.account, id: id as RowId }
  await relay.received
  await eventually('another worker takes the message over', async () => {
    const stale = await read(postern, row)
    return stale && (await claim(postern, stale))
  })
  relay.answer()
  const results = await eventually('the late result', async () => {
    const taken = await read(postern, row)
    return taken?.results[0]?.late && taken.results
  })
  assert.deepEqual(
    results.map(({ status }) => status),
    ['success', 'running'],
  )
}

/** A Send of long ago died between its rows and its commit; its content is an object. */
async function sweepUncommitted(postern: Installation): Promise<void> {
  const died = new Error('died before the commit')
  const rows: QueuedMessage[] = []
  const queue = dynamoQueueStore(postern.table, systemClock)
  const dying: QueueStore = {
    ...queue,
    add: async (added) => {
      rows.push(...added)
      return await queue.add(added)
    },
    decide: () => Promise.reject(died),
  }
  const recipients = ['one@first.test', 'two@second.test']
  const dead = submitAsOperator(postern, dying, 16, { subject: 'uncommitted', recipients, text: large() })
  await assert.rejects(dead, died)
  const [{ base } = assert.fail('no row')] = rows
  assert.deepEqual(await objectsOf(postern, queueContent(base)), [queueContent(base)])
  const queued = await postern.admin.get<{ Subject: string }[]>('/queue')
  assert.ok(!queued.some(({ Subject }) => Subject === 'uncommitted'))

  await postern.sweep()
  for (const row of rows) assert.equal(await read(postern, row), undefined)
  assert.deepEqual(await objectsOf(postern, queueContent(base)), [])
  assert.equal(await getItem(postern.table, keys.content(queueContent(base))), undefined)
}

async function retryWebhook(postern: Installation, { application }: Outside): Promise<void> {
  await sendTo(postern, ['flaky@one.test'], { Subject: 'flaky' })
  const call = await eventually('the first attempt', () => callsOf(application, '/out', 'flaky')[0])
  const key = keys.call(localSeed.account, Number(call.headers['x-mox-webhook-id']) as RowId)
  const dueAt = formatInstant(Date.now() - MINUTE)
  const waiting = {
    key,
    condition: '#state = :waiting AND #attempts = :one',
    values: { dueAt, waiting: 'waiting', one: 1 },
  }
  const early = { ...waiting, update: 'SET #dueAt = :dueAt' }
  await eventually('the call waits', async () => await changeItem(postern.table, early))
  await postern.sweep()
  const item = await getItem(postern.table, key)
  assert.equal(String(item?.dueAt).split('#')[0], item?.nextAt, 'the sweep looks again when the call is due')

  await changeItem(postern.table, { ...waiting, update: 'SET #dueAt = :dueAt, #nextAt = :dueAt' })
  await postern.sweep()
  await eventually('the second attempt', () => callsOf(application, '/out', 'flaky').length === 2)
}

async function receiveMail(postern: Installation, { application }: Outside): Promise<void> {
  await sleep(Math.max(0, settingsKnownAtMs - performance.now()))
  const texts = { small: 'hello', stored: 'some words '.repeat(500), large: large() }
  for (const [Subject, Text] of Object.entries(texts)) {
    await sendTo(postern, ['someone@one.test'], { Subject, Text })
  }
  for (const [subject, text] of Object.entries(texts)) {
    const said = await eventually(
      `a call about ${subject} mail`,
      () => callsOf(application, '/in', subject)[0],
    )
    assert.equal(String(said.json.Text).trim(), text.trim())
    assert.match(String(said.headers['webhook-signature']), /^v1,/)
  }
}

async function readMail(postern: Installation): Promise<void> {
  for (const subject of ['small', 'large']) {
    const { MsgID } = await mailOf(postern, subject)
    const { Message } = JSON.parse(String(await postern.webapi('MessageGet', { MsgID })))
    assert.equal(Message.Subject, subject)
    assert.match(String(await postern.webapi('MessageRawGet', { MsgID })), /^Delivered-To: /)
    const part = await postern.webapi('MessagePartGet', { MsgID, PartPath: [] })
    assert.equal(String(part).trim(), Message.Text.trim())
  }
}

async function logIn(postern: Installation): Promise<void> {
  const wrong = { authorization: `Basic ${btoa(`${localSeed.address}:wrong password`)}` }
  await assert.rejects(postern.webapi('MessageGet', { MsgID: 1 }, wrong), /answered 401/)
  await assert.rejects(postern.webapi('MessageGet', { MsgID: 1 }), /messageNotFound/)
}

async function sendWithKey(postern: Installation): Promise<void> {
  const request = { To: [{ Address: 'keyed@one.test' }], Subject: 'keyed', Text: large() }
  const send = (key: string, more = {}) =>
    postern.webapi('Send', { ...request, ...more }, { 'idempotency-key': key })
  const answer = await send('key')
  assert.deepEqual(await send('key'), answer)
  // As if the first call had died before it could keep its answer.
  const died = { key: keys.keyedSend(localSeed.account, 'key'), condition: 'attribute_exists(#answer)' }
  const forgotten = { ...died, update: 'REMOVE #answer SET #heldUntil = :none', values: { none: 0 } }
  assert.ok(await changeItem(postern.table, forgotten))
  assert.deepEqual(await send('key'), answer)

  await assert.rejects(send('late', { From: [{ Address: 'plain@plain.test' }] }), /no catchall separator/)
  assert.equal(await getItem(postern.table, keys.keyedSend(localSeed.account, 'late')), undefined)
}

async function changeMail(postern: Installation): Promise<void> {
  const To = [{ Address: 'someone@one.test' }]
  await postern.webapi('Send', { To, Subject: 'kept', Text: large(), SaveSent: true })
  const inMailbox = async (name: string) => {
    const mails = await postern.admin.get<{ MsgID: number; Subject: string; MailboxName: string }[]>('/mail')
    return mails.find(({ Subject, MailboxName }) => Subject === 'kept' && MailboxName === name)
  }
  const { MsgID } = (await inMailbox('Sent')) ?? assert.fail('no mail in Sent')
  await postern.webapi('MessageFlagsAdd', { MsgID, Flags: ['\\flagged', 'invoice'] })
  await postern.webapi('MessageFlagsRemove', { MsgID, Flags: ['invoice'] })
  await postern.webapi('MessageMove', { MsgID, DestMailboxName: 'Archive' })
  assert.equal((await inMailbox('Archive'))?.MsgID, MsgID)
  await postern.webapi('MessageDelete', { MsgID })
  assert.equal(await inMailbox('Archive'), undefined)
}

/** Does not compress to what an item may hold: such a content becomes an object in S3. */
export function large(): string {
  return randomBytes(75_000).toString('base64')
}

/** Answers the ids of the messages. */
export async function sendTo(
  postern: Installation,
  addresses: readonly string[],
  { Subject, Text = 'x' }: { readonly Subject: string; readonly Text?: string },
): Promise<readonly number[]> {
  const To = addresses.map((Address) => ({ Address }))
  const { Submissions } = JSON.parse(String(await postern.webapi('Send', { To, Subject, Text })))
  return (Submissions as { QueueMsgID: number }[]).map(({ QueueMsgID }) => QueueMsgID)
}

function callsOf(application: WebhookReceiver, path: string, subject: string): readonly ReceivedCall[] {
  return application.calls.filter((call) => call.path === path && call.json.Subject === subject)
}

async function mailOf({ admin }: Installation, subject: string): Promise<{ readonly MsgID: number }> {
  return await eventually(`the mail ${subject}`, async () => {
    const mails = await admin.get<{ MsgID: number; Subject: string }[]>('/mail')
    return mails.find(({ Subject }) => Subject === subject)
  })
}

async function shown({ admin }: Installation): Promise<readonly unknown[]> {
  return await Promise.all(['/accounts', '/addresses', '/queue', '/mail'].map((path) => admin.get(path)))
}

const lossy: HintChannel = { send: async () => {}, depth: async () => 0 }

/** A message of two minutes ago that somebody must look at by now. */
async function submitUnhinted(postern: Installation, subject: string): Promise<QueuedMessage> {
  const queue = dynamoQueueStore(postern.table, systemClock)
  const message = { subject, recipients: ['someone@one.test'], text: 'x' }
  const [row] = await submitAsOperator(postern, queue, 2, message)
  return row ?? assert.fail('no row')
}

export async function submitAsOperator(
  postern: Installation,
  queue: QueueStore,
  minutesAgo: number,
  message: { readonly subject: string; readonly recipients: readonly string[]; readonly text: string },
): Promise<readonly QueuedMessage[]> {
  const { subject, recipients, text } = message
  const clock = fakeClock(Date.now() - minutesAgo * MINUTE)
  const ports = {
    options: dynamoOptionsStore(postern.table, clock),
    queue,
    content: operatorContent(postern),
    deliveries: lossy,
    clock,
    random: systemRandom,
  }
  return await submit(ports, {
    account: localSeed.account,
    mailFrom: parseAddress(localSeed.address),
    recipients: recipients.map(parseAddress),
    content: Buffer.from(`Subject: ${subject}\r\n\r\n${text}\r\n`),
    messageId: `<${subject}@localhost>`,
    subject,
    has8bit: false,
    smtputf8: false,
    extra: {},
  })
}

/** Writes what the functions read, with the rights of the operator. */
function operatorContent({ table, s3, cloud }: Installation): ContentStore {
  const never = () => Promise.reject(new Error('the operator only writes contents'))
  const objects = {
    create: async (Key: string, Body: Uint8Array) => {
      await s3.send(new PutObjectCommand({ Bucket: cloud.outputs.Bucket, Key, Body }))
      return true
    },
    read: never,
    remove: never,
  }
  return awsContentStore({ table, objects: async () => objects, clock: systemClock })
}

async function objectsOf({ s3, cloud }: Installation, prefix: string): Promise<readonly unknown[]> {
  const list = new ListObjectsV2Command({ Bucket: cloud.outputs.Bucket, Prefix: prefix })
  const { Contents = [] } = await s3.send(list)
  return Contents.map(({ Key }) => Key)
}

export async function read(
  { table }: Installation,
  { account, id }: Pick<QueuedMessage, 'account' | 'id'>,
): Promise<QueuedMessage | undefined> {
  return await dynamoQueueStore(table, systemClock).read(account, id)
}

/** What was claimed is still claimed after the restart, or the lists would differ. */
const longerThanTheRunMs = 15 * MINUTE

/** Another worker begins an attempt, if it may, and never ends it. */
async function claim({ table }: Installation, row: QueuedMessage): Promise<QueuedMessage | undefined> {
  const ports = { store: dynamoQueueStore(table, systemClock), clock: systemClock, random: systemRandom }
  return await beginAttempt(ports, row, longerThanTheRunMs, (begun) => ({
    ...begun,
    status: 'running',
    enhancedCode: '',
    reply: '',
  }))
}
