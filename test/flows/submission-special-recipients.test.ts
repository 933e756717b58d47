import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { submitMessage } from '../support/submit-message.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// AT-76, §7.4: special recipients, handed in over SMTP: the submission is refused, and nothing is queued.

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook: { URL: `${application.url}/out` } })
  await postern.admin.put('/addresses/mailfrom@localhost', { Account: 'postern' })
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const refused: readonly (readonly [localpart: string, stage: 'rcpt' | 'data', code: number | 'silence'])[] = [
  ['temperror', 'data', 451],
  ['permerror', 'data', 550],
  ['someone+temperror', 'data', 451],
  ['someone+permerror', 'data', 550],
  ['someone+400', 'data', 400],
  ['someone499', 'data', 499],
  ['someone+500', 'data', 500],
  ['someone599', 'data', 599],
  ['someone+timeout', 'data', 'silence'],
  ['rcptto+temperror', 'rcpt', 451],
  ['rcptto+permerror', 'rcpt', 550],
  ['rcptto+450', 'rcpt', 450],
  ['rcptto+timeout', 'rcpt', 'silence'],
]
for (const [localpart, stage, code] of refused) {
  test(`AT-76: a submission to ${localpart} is answered ${code} at ${stage}, and nothing is queued`, async () => {
    const subject = `refused ${localpart}`
    const answer = await submit(subject, ['<bob@remote.test>', `<${localpart}@remote.test>`])
    assert.equal(answer?.stage, stage)
    const reply = code === 'silence' ? /^silence$/ : new RegExp(`^${code} ${String(code)[0]}\\.0\\.0 `)
    assert.match(answer?.reply ?? '', reply)
    assert.deepEqual(await rowsOf(subject), [])
  })
}

for (const [localpart, stage, code] of [
  ['mailfrom+temperror', 'mail', 451],
  ['mailfrom+554', 'mail', 554],
] as const) {
  test(`AT-76: a submission from ${localpart} is answered ${code} at ${stage}`, async () => {
    const from = `<${localpart}@localhost>`
    const answer = await submitMessage({ port: postern.submissionPort, from, to: ['<bob@remote.test>'] })
    assert.equal(answer?.stage, stage)
    assert.match(answer?.reply ?? '', new RegExp(`^${code} `))
  })
}

const accepted: readonly (readonly [localpart: string, event: string, code: number])[] = [
  ['someone+399', 'delivered', 0],
  ['someone+600', 'delivered', 0],
  ['queue+temperror', 'delayed', 451],
  ['queue+permerror', 'failed', 550],
  ['queue+499', 'delayed', 499],
]
for (const [place, [localpart, event, code]] of accepted.entries()) {
  test(`AT-76: a submission to ${localpart} is queued, and ends ${event} there`, async () => {
    const subject = `queued ${localpart}`
    assert.equal(await submit(subject, [`<${localpart}@r${place}.test>`]), undefined)
    const found = () => application.calls.find(({ json }) => json.Subject === subject)?.json
    const { Event, SMTPCode } = await eventually(`an event about ${localpart}`, found)
    assert.deepEqual([Event, SMTPCode], [event, code])
  })
}

async function submit(subject: string, to: readonly string[]) {
  const message = `From: postern@localhost\r\nSubject: ${subject}\r\n\r\nhello\r\n`
  return await submitMessage({ port: postern.submissionPort, to, message, patienceMs: 1_500 })
}

async function rowsOf(subject: string): Promise<readonly unknown[]> {
  const lists = ['/queue', '/queue/retired'].map((path) => postern.admin.get<{ Subject: string }[]>(path))
  return (await Promise.all(lists)).flat().filter(({ Subject }) => Subject === subject)
}
