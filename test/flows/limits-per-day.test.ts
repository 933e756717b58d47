import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('the seeded account has no limits', async () => {
  const account = await postern.admin.get<Record<string, unknown>>('/accounts/postern')
  assert.deepEqual([account.MaxOutgoingMessagesPerDay, account.MaxFirstTimeRecipientsPerDay], [0, 0])
})

test('AT-15, AT-68: sends over the webapi count; each limit has its code, and refuses the whole Send', async () => {
  await setLimits(6, 3)
  assert.equal((await send('new-1', 'new-2')).status, 200)
  const newcomers = await send('new-1', 'new-3', 'new-4')
  assert.deepEqual([newcomers.status, newcomers.code], [400, 'recipientLimitReached'])
  assert.equal((await send('new-1', 'new-3')).status, 200)
  const messages = await send('new-1', 'new-2', 'new-3')
  assert.deepEqual([messages.status, messages.code], [400, 'messageLimitReached'])
  assert.match(messages.retryAfter ?? '', /^\d+$/)
  assert.equal((await send('new-1', 'new-2')).status, 200)
  assert.equal((await send('new-1')).code, 'messageLimitReached')
})

test('a Send that reaches a limit leaves its Idempotency-Key free; a repeated one does not count again', async () => {
  await setLimits(8, 0)
  const first = await send(['key', 'one'], 'new-1')
  assert.equal(first.status, 200)
  for (let calls = 0; calls < 3; calls++) assert.deepEqual(await send(['key', 'one'], 'new-1'), first)
  assert.equal((await send(['key', 'two'], 'new-1', 'new-2')).code, 'messageLimitReached')
  assert.equal((await send(['key', 'two'], 'new-1')).status, 200)
})

async function setLimits(messages: number, recipients: number): Promise<void> {
  await postern.admin.patch('/accounts/postern', {
    MaxOutgoingMessagesPerDay: messages,
    MaxFirstTimeRecipientsPerDay: recipients,
  })
  // A running function may work with options that are five seconds old.
  await sleep(5_000)
}

async function send(...recipients: (string | readonly ['key', string])[]) {
  const [, key] = recipients.find((each) => typeof each !== 'string') ?? []
  const localparts = recipients.filter((each) => typeof each === 'string')
  const To = localparts.map((localpart) => ({ Address: `${localpart}@limits.test` }))
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) }
  const answer = await postern.post('Send', JSON.stringify({ To, Text: 'x' }), headers)
  const json = (await answer.json()) as Record<string, unknown>
  const id = json.MessageID
  return { status: answer.status, code: json.Code, id, retryAfter: answer.headers.get('retry-after') }
}
