import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { dynamoKeyedSendStore } from '../../shared/adapters/aws/keyed-send-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { ApiError } from '../../shared/webapi/api-error.ts'
import { directSend, sendPorts } from '../support/direct-send.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** The recipients of this test are deferred, so that rows stay where they can be counted. */
const one = { To: [{ Address: 'a+temperror@once.test' }], Text: 'x' }
const two = { ...one, CC: [{ Address: 'b+temperror@twice.test' }] }

test('the same key and request: the same answer, one message', async () => {
  const request = { ...two, Subject: 'repeated' }
  const first = await keyed('repeated', request)
  assert.equal(first.status, 200)
  assert.deepEqual(await keyed('repeated', request), first)
  assert.equal((await rowsOf('repeated')).length, 2)
})

const file = { Name: 'f', ContentType: 'text/x-f' }
test('however it is written: other order of names, other encoding, line breaks in base64', async () => {
  const first = await keyed('written', {
    ...one,
    Subject: 'w',
    Extra: { a: '1', b: '2' },
    AttachedFiles: [{ ...file, Data: 'QUJDREVG' }],
  })
  assert.equal(first.status, 200)
  const again = {
    attachedfiles: [{ Data: 'QUJD\r\nREVG', ...file }],
    extra: { b: '2', a: '1' },
    subject: 'w',
    ...one,
  }
  const form = new URLSearchParams({ request: JSON.stringify(again) })
  const answer = await postern.post('Send', form.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
    'idempotency-key': 'written',
  })
  assert.deepEqual(await answer.json(), first.json)
})

const others: readonly (readonly [rule: string, change: object])[] = [
  ['text', { Text: 'y' }],
  ['recipient', { To: [{ Address: 'c+temperror@once.test' }] }],
  ['file', { AttachedFiles: [{ ...file, Data: 'QUJE' }] }],
  ['extra data', { Extra: { a: '1' } }],
]
for (const [rule, change] of others) {
  test(`the same key and another ${rule}: 400 user that names the header`, async () => {
    const request = { ...one, Subject: rule, AttachedFiles: [{ ...file, Data: 'QUJD' }] }
    assert.equal((await keyed(`other ${rule}`, request)).status, 200)
    const { status, json } = await keyed(`other ${rule}`, { ...request, ...change })
    assert.deepEqual([status, json.Code], [400, 'user'])
    assert.match(String(json.Message), /^Idempotency-Key: .* another request/)
  })
}

test('calls at the same time: one message, and the others get it too or are told when to come back', async () => {
  const request = { ...two, Subject: 'at once' }
  const answers = await Promise.all(Array.from({ length: 8 }, () => keyed('at once', request)))
  const done = answers.filter(({ status }) => status === 200)
  assert.ok(done.length > 0)
  for (const { json } of done) assert.deepEqual(json, done[0]?.json)
  for (const { status, json, retryAfter } of answers.filter((answer) => answer.status !== 200)) {
    assert.deepEqual([status, json.Code], [400, 'user'])
    assert.match(retryAfter ?? '', /^([1-9]|[1-5]\d|60)$/)
  }
  assert.equal((await rowsOf('at once')).length, 2)
})

test('a failed call leaves the key free for another request', async () => {
  assert.equal((await keyed('free', { Text: 'x' })).json.Code, 'noRecipients')
  assert.equal((await keyed('free', { ...one, From: [{ Address: 'no@one.test' }] })).json.Code, 'badFrom')
  assert.equal((await keyed('free', one)).status, 200)
})

test('a call refused while it accepts leaves the key free', async () => {
  const ports = sendPorts(postern.table)
  const refusing = {
    ...ports,
    fromIdSecret: () => Promise.reject(new ApiError('user', 'refused late')),
  }
  await assert.rejects(directSend(refusing, 'refused late', one), /refused late/)
  assert.ok(await directSend(ports, 'refused late', two))
})

test('a call that ends with a fault of ours can be repeated at once, and accepts under the same ids', async () => {
  const ports = sendPorts(postern.table)
  const request = { ...two, Subject: 'fault' }
  const failing = {
    ...ports,
    deliveries: { ...ports.deliveries, send: () => Promise.reject(new Error('bug')) },
  }
  await assert.rejects(directSend(failing, 'fault', request), /bug/)
  const before = (await rowsOf('fault')).map(({ id }) => id)
  const answer = (await directSend(ports, 'fault', request)) as { Submissions: { QueueMsgID: number }[] }
  assert.deepEqual(
    answer.Submissions.map(({ QueueMsgID }) => QueueMsgID),
    before,
  )
})

test('a base that another Send has taken is replaced, and the key knows', async () => {
  const clock = fakeClock(Date.now())
  const ports = sendPorts(postern.table, clock)
  // The same instant and the same draw give the same base.
  const random = { bytes: ports.random.bytes, fraction: drawing(0.25, 0.25, 0.5) }
  await directSend({ ...ports, random }, 'taken 1', { ...two, Subject: 'taken' })
  const second = { ...two, Subject: 'taken too' }
  const answer = await directSend({ ...ports, random }, 'taken 2', second)
  assert.equal((await rowsOf('taken')).length, 2)
  assert.equal((await rowsOf('taken too')).length, 2)
  assert.deepEqual(await directSend(ports, 'taken 2', second), answer)
})

test('a key is forgotten after 24 hours', async () => {
  const request = { ...one, Subject: 'forgotten' }
  const now = Date.now()
  const at = (clock: number) => directSend(sendPorts(postern.table, fakeClock(clock)), 'forgotten', request)
  const first = await at(now)
  assert.deepEqual(await at(now + DAY - SECOND), first)
  assert.notDeepEqual(await at(now + DAY + SECOND), first)
  assert.equal((await rowsOf('forgotten')).length, 2)
})

test('a key of another account is another key', async () => {
  const store = dynamoKeyedSendStore(postern.table, systemClock)
  await keyed('mine', one)
  assert.ok(await store.find({ account: 'postern', key: 'mine' }))
  assert.equal(await store.find({ account: 'other', key: 'mine' }), undefined)
})

for (const [rule, key] of [
  ['empty', ''],
  ['longer than 255 characters', 'k'.repeat(256)],
  ['not ASCII', 'sch\xf6n'],
] as const) {
  test(`a key that is ${rule} is refused by the header's name`, async () => {
    await assert.rejects(
      directSend(sendPorts(postern.table), key, one),
      (error) =>
        error instanceof ApiError && error.code === 'user' && /^Idempotency-Key: /.test(error.message),
    )
  })
}

const deaths: readonly (readonly [step: string, request: object, isAccepted: boolean])[] = [
  ['after claim', one, false],
  ['after content', one, false],
  ['after rows', one, true],
  ['before answer', one, true],
  ['after content', two, false],
  ['before commit', two, false],
  ['after commit', two, true],
]
for (const [step, shape, isAccepted] of deaths) {
  const recipients = shape === one ? 'one recipient' : 'two recipients'
  test(`killed ${step} (${recipients}): after a minute the same call finishes it, once, under the same ids`, async () => {
    const name = `killed ${step} ${recipients}`
    const request = { ...shape, Subject: name }
    await runKilled([step, name, JSON.stringify(request)])
    const key = { account: 'postern', key: name }
    const left = await dynamoKeyedSendStore(postern.table, systemClock).find(key)
    assert.ok(left && !left.answer)

    const early = await keyed(name, request)
    assert.deepEqual([early.status, early.json.Code], [400, 'user'])
    assert.ok(Number(early.retryAfter) > 40)

    const later = sendPorts(postern.table, fakeClock(Date.now() + MINUTE))
    if (isAccepted)
      later.directory.find = () => Promise.reject(new Error('what was accepted is checked again'))
    const answer = (await directSend(later, name, request)) as Answer
    assert.equal(answer.MessageID, left.messageId)
    assert.equal(answer.Submissions[0]?.QueueMsgID, left.base)
    const rows = await rowsOf(name)
    assert.deepEqual(
      rows.map(({ id }) => id),
      answer.Submissions.map(({ QueueMsgID }) => QueueMsgID),
    )
    assert.deepEqual((await keyed(name, request)).json, answer)
    if (rows.length > 1) {
      const [row] = rows
      assert.equal(row && (await storesOf(postern.table).queue.decision(row.base))?.kind, 'committed')
    }
  })
}

test('killed before the commit and given up by the sweep meanwhile: accepted under new ids', async () => {
  const request = { ...two, Subject: 'given up' }
  await runKilled(['before commit', 'given up', JSON.stringify(request)])
  const store = dynamoKeyedSendStore(postern.table, systemClock)
  const left = await store.find({ account: 'postern', key: 'given up' })
  assert.ok(left)
  const { queue } = storesOf(postern.table)
  await queue.decide(left.base, { kind: 'aborted' }, Date.now() + DAY)
  const later = sendPorts(postern.table, fakeClock(Date.now() + HOUR))
  const answer = (await directSend(later, 'given up', request)) as Answer
  assert.equal(answer.MessageID, left.messageId)
  assert.notEqual(answer.Submissions[0]?.QueueMsgID, left.base)
  const kept = await store.find({ account: 'postern', key: 'given up' })
  assert.equal(kept?.base, answer.Submissions[0]?.QueueMsgID)
  assert.equal(kept && (await queue.decision(kept.base))?.kind, 'committed')
})

interface Answer {
  readonly MessageID: string
  readonly Submissions: readonly { readonly QueueMsgID: number }[]
}

async function keyed(key: string, request: object) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const answer = await postern.post('Send', JSON.stringify(request), headers)
  return {
    status: answer.status,
    json: (await answer.json()) as Record<string, unknown>,
    retryAfter: answer.headers.get('retry-after'),
  }
}

/** The rows of that subject, in the order of their ids. */
async function rowsOf(subject: string): Promise<readonly QueuedMessage[]> {
  const { queue } = storesOf(postern.table)
  const rows = await queue.due('postern', Date.now() + 2 * DAY, 1000)
  return rows.filter((row) => row.subject === subject).sort((a, b) => a.id - b.id)
}

function drawing(...numbers: number[]): () => number {
  return () => numbers.shift() ?? 0.75
}

async function runKilled(more: readonly string[]): Promise<void> {
  const config = JSON.stringify(postern.local.cloud.clientConfig())
  const script = join(import.meta.dirname, '..', 'fixtures', 'die-in-keyed-send.ts')
  const args = [script, config, postern.table.name, ...more]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}
