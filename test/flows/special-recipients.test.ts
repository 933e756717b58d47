import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { smtpDialog } from '../adapters/net/smtp-dialog.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// AT-76: addresses that ask the listener of local mode for a failure.

let postern: TestPostern
let application: WebhookReceiver
/** It takes half a minute, so that it begins before the others and is looked at last. */
let slow: number
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook: { URL: `${application.url}/out` } })
  await postern.admin.put('/addresses/mailfrom@localhost', { Account: 'postern' })
  await sleep(5_000)
  const [id = 0] = await send(['someone+timeout@slow.test'])
  slow = id
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

type Stage = 'mail' | 'rcpt' | 'data'

const rows: readonly (readonly [localpart: string, stage?: Stage, code?: number])[] = [
  ['temperror', 'data', 451],
  ['permerror', 'data', 550],
  ['someone+temperror', 'data', 451],
  ['someone+permerror', 'data', 550],
  ['someone+400', 'data', 400],
  ['someone499', 'data', 499],
  ['someone+500', 'data', 500],
  ['someone599', 'data', 599],
  // mox's `queue` means to fail in the queue only. The webapi accepts all of them, and the queue then fails.
  ['queue+temperror', 'data', 451],
  ['queue+permerror', 'data', 550],
  ['mailfrom+temperror', 'mail', 451],
  ['mailfrom+permerror', 'mail', 550],
  ['mailfrom+554', 'mail', 554],
  ['rcptto+temperror', 'rcpt', 451],
  ['rcptto+permerror', 'rcpt', 550],
  ['rcptto+450', 'rcpt', 450],
  ['someone+399'],
  ['someone+600'],
]
for (const [place, [localpart, stage, code]] of rows.entries()) {
  const effect = code === undefined ? 'is no special address' : `is answered ${code} at ${stage}`

  test(`AT-76: ${localpart} ${effect}, said to the listener`, async (t) => {
    const replies = await transact(t, localpart, stage)
    for (const at of ['mail', 'rcpt', 'data'] as const) {
      if (stage === at) return assert.match(replies[at], new RegExp(`^${code} ${String(code)[0]}\\.0\\.0 `))
      assert.match(replies[at], /^250 /)
    }
  })

  test(`AT-76: ${localpart} ${effect}, sent by the webapi`, async () => {
    const domain = `r${place}.test`
    const [id = 0] =
      stage === 'mail'
        ? await send([`you@${domain}`], `${localpart}@localhost`)
        : await send([`${localpart}@${domain}`])
    const { Event, SMTPCode, SMTPEnhancedCode, Suppressing } = await eventOf(id)
    if (code === undefined) return assert.deepEqual([Event, SMTPCode], ['delivered', 0])
    assert.deepEqual(
      [Event, SMTPCode, SMTPEnhancedCode, Suppressing],
      [code < 500 ? 'delayed' : 'failed', code, `${String(code)[0]}.0.0`, code === 550],
    )
  })
}

for (const [localpart, stage] of [
  ['mailfrom+timeout', 'mail'],
  ['rcptto+timeout', 'rcpt'],
  ['someone+timeout', 'data'],
] as const) {
  test(`AT-76: ${localpart} is left without an answer at ${stage}, said to the listener`, async (t) => {
    const replies = await transact(t, localpart, stage)
    assert.equal(replies[stage], 'silence')
  })
}

test('AT-76: 552 to RCPT is too many recipients, so that it is not for good (RFC 5321 §4.5.3.1.10)', async () => {
  const [id = 0] = await send(['rcptto+552@full.test'])
  const { Event, SMTPCode } = await eventOf(id)
  assert.deepEqual([Event, SMTPCode], ['delayed', 552])
})

test('AT-76: who fails after the data takes no others of the Send along, and all go over one connection', async () => {
  const ids = await send(['a+permerror@x.test', 'b@x.test', 'c+451@x.test'])
  const events = await Promise.all(ids.map((id) => eventOf(id)))
  assert.deepEqual(
    events.map(({ Event, SMTPCode, Suppressing }) => [Event, SMTPCode, Suppressing]),
    [
      ['failed', 550, true],
      ['delivered', 0, false],
      ['delayed', 451, false],
    ],
  )
  const [a, b, c] = await Promise.all(ids.map(read))
  assert.deepEqual(
    // Each reply names its session.
    [a, b, c].map((row) =>
      row?.results.map(({ attempt, reply }) => [attempt, reply?.replace(/ \(\w{10}\)$/, '')]),
    ),
    [
      [[1, '5.0.0 simulated failure: a local part ends in permerror']],
      [[1, '2.6.0 accepted']],
      [[1, '4.0.0 simulated failure: a local part ends in 451']],
    ],
  )
  assert.equal(b?.results[0]?.transcript, undefined)
  assert.deepEqual(b?.results[0]?.remote, { host: '127.0.0.1', ipAddress: '127.0.0.1' })
  const transcript = a?.results[0]?.transcript ?? []
  assert.equal(transcript.filter((line) => line.includes(' C: MAIL FROM:')).length, 3)
  assert.equal(transcript.filter((line) => line.includes(' C: EHLO ')).length, 1)
})

test('AT-76: someone+timeout is a temporary failure after the half minute that the relay waits, sent by the webapi', async () => {
  const { Event, SMTPCode, SMTPEnhancedCode, Error: error } = await eventOf(slow, 45_000)
  assert.deepEqual([Event, SMTPCode, SMTPEnhancedCode], ['delayed', 0, ''])
  assert.match(String(error), /^sending to 127\.0\.0\.1:\d+: timed out$/)
})

/** The replies to one transaction by hand; `silence` when there is none for a second. */
async function transact(
  t: TestContext,
  localpart: string,
  stage: Stage | undefined,
): Promise<Readonly<Record<Stage, string>>> {
  const dialog = await smtpDialog(t, postern.smtpPort)
  let last = ''
  const say = async (text: string) => {
    if (last === 'silence') return last
    last = await Promise.race([dialog.say(text), sleep(1_000, 'silence', { ref: false })])
    return last
  }
  await say('EHLO client.test')
  const special = `${localpart}@special.test`
  const mail = await say(`MAIL FROM:<${stage === 'mail' ? special : 'me@client.test'}>`)
  const rcpt = await say(`RCPT TO:<${stage === 'mail' ? 'you@special.test' : special}>`)
  await say('DATA')
  return { mail, rcpt, data: await say('Subject: hello\r\n\r\nhello\r\n.') }
}

/** Sends with a login whose reverse-paths are not unique; answers the ids by recipient. */
async function send(recipients: readonly string[], from?: string): Promise<readonly number[]> {
  const request = {
    ...(from && { From: [{ Address: from }] }),
    To: recipients.map((address) => ({ Address: address })),
    Text: 'x',
  }
  const answer = await postern.post('Send', JSON.stringify(request), {
    'content-type': 'application/json',
    authorization: `Basic ${btoa('postern+x@localhost:posternpostern')}`,
  })
  const json = (await answer.json()) as { readonly Submissions: readonly { readonly QueueMsgID: number }[] }
  assert.equal(answer.status, 200, JSON.stringify(json))
  return json.Submissions.map(({ QueueMsgID }) => QueueMsgID)
}

async function eventOf(id: number, withinMs?: number): Promise<Record<string, unknown>> {
  const find = () => application.calls.find(({ json }) => json.QueueMsgID === id)?.json
  return await eventually(`an event of message ${id}`, find, withinMs)
}

async function read(id: number): Promise<QueuedMessage | undefined> {
  return await storesOf(postern.table).queue.read('postern', id as RowId)
}
