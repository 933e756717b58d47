import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import { DAY, HOUR } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { runPostern } from '../cli/admin-server.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

interface Sent {
  readonly status: number
  readonly json: {
    readonly Code?: string
    readonly MessageID?: string
    readonly Submissions?: readonly { readonly QueueMsgID: RowId }[]
  }
}

async function send(more: object): Promise<Sent> {
  return await postern.call('Send', { To: [{ Address: 'ann@future.test' }], Text: 'x', ...more })
}

async function readRow(sent: Sent) {
  const [submission] = sent.json.Submissions ?? []
  const row = submission && (await storesOf(postern.table).queue.read('postern', submission.QueueMsgID))
  return row ?? assert.fail(JSON.stringify(sent.json))
}

async function move(duration: string): Promise<void> {
  const outcome = await runPostern(['time', duration], { POSTERN_URL: postern.local.cloud.apiUrl })
  assert.equal(outcome.stderr, '')
}

test('AT-72: a message for in 60 days waits for its time, with its content, and is delivered then (RFC 4865)', async () => {
  // As a caller in another zone writes it.
  const at = new Date(Date.now() + 60 * DAY - HOUR).toISOString().replace(/\.\d+Z$/, '+00:00')
  const sent = await send({ FutureRelease: at, Subject: 'much later' })
  assert.equal(sent.status, 200)
  const row = await readRow(sent)
  assert.deepEqual([row.state, row.attempts, row.futureRelease], ['waiting', 0, `until;${at}`])
  const [listed] = await eventually('it is listed', async () => {
    const rows = await postern.admin.get<Record<string, unknown>[]>('/queue')
    return rows.length > 0 && rows
  })
  assert.equal(listed?.FutureReleaseRequest, `until;${at}`)
  assert.equal(listed?.NextAttempt, new Date(at).toISOString())

  await move('+1439h')
  assert.equal((await readRow(sent)).attempts, 0, 'not before its time')
  await move('+2h')
  await eventually('it is delivered', async () => (await readRow(sent)).retired?.success === true)
})

test('AT-12: a FutureRelease that has passed is now; RequireTLS goes with the message', async () => {
  const sent = await send({ FutureRelease: '2026-01-01T00:00:00Z', RequireTLS: false })
  const row = await readRow(sent)
  assert.deepEqual([row.requireTls, row.futureRelease], [false, 'until;2026-01-01T00:00:00Z'])
  assert.ok(row.nextAt <= row.queuedAt)
  await eventually('it is delivered', async () => (await readRow(sent)).retired?.success === true)
})

test('RequireTLS fails at once where the next hop has no TLS that can be verified (RFC 8689 §4.2.1)', async () => {
  const sent = await send({ RequireTLS: true })
  const row = await eventually('it has failed', async () => {
    const read = await readRow(sent)
    return read.state === 'done' && read
  })
  const [result] = row.results
  assert.deepEqual([row.attempts, result?.status, result?.enhancedCode], [1, 'permanent', '5.7.30'])
})

test('AT-72: beyond the quota the message is sent, the copy in Sent is not kept, and the caller is told (Q28)', async () => {
  await postern.admin.patch('/accounts/postern', { QuotaMessageSize: 1 })
  const key = { 'content-type': 'application/json', 'idempotency-key': 'over quota' }
  const request = JSON.stringify({ To: [{ Address: 'ann@future.test' }], Text: 'x', SaveSent: true })
  const sent = await eventually('the quota is known', async () => {
    const answer = await postern.call('Send', {
      To: [{ Address: 'b@future.test' }],
      Text: 'x',
      SaveSent: true,
    })
    return answer.status === 400 && (answer as Sent)
  })
  assert.equal(sent.json.Code, 'sentOverQuota')
  assert.equal((await readRow(sent)).account, 'postern')
  const answers = [await postern.post('Send', request, key), await postern.post('Send', request, key)]
  const [first, again] = await Promise.all(
    answers.map(async (answer) => [answer.status, await answer.json()]),
  )
  assert.deepEqual(again, first, 'a repeated call sends nothing more, and hears the same')
  assert.equal(first?.[0], 400)
})
