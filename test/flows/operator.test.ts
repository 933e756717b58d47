import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findFreePort } from '../../infra/local/free-port.ts'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import type { HoldRuleJson } from '../../shared/admin/hold-rules.ts'
import type { QueuedMessageJson, RetiredMessageJson } from '../../shared/admin/message-json.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { runPostern } from '../cli/admin-server.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
/** Holds everything to held.test. */
let heldTest: HoldRuleJson
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  const { admin } = postern
  await admin.patch('/accounts/postern', { OutgoingWebhook: { URL: application.url } })
  await admin.put('/transports/closed', {
    Host: '127.0.0.1',
    Port: await findFreePort('127.0.0.1'),
    TLS: 'none',
  })
  const routes = await admin.get<object[]>('/routes')
  await admin.put('/routes', [{ ToDomain: ['.closed.test'], Transport: 'closed' }, ...routes])
  heldTest = await admin.post<HoldRuleJson>('/holdrules', { Recipient: 'held.test' })
  await known()
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** Moves time beyond what running functions remember of the options. */
async function known(): Promise<void> {
  await postern.local.cloud.clock.advance(6 * SECOND)
}

/** As an operator types it; it must succeed, and print JSON. */
async function cli<Answer>(...args: readonly string[]): Promise<Answer> {
  const environment = {
    POSTERN_URL: postern.local.cloud.apiUrl,
    POSTERN_ADMIN_PASSWORD: localSeed.adminPassword,
  }
  const { status, stdout, stderr } = await runPostern([...args, '--json'], environment)
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as Answer
}

/** An act on rows of a list that lags: repeated until it has found so many. */
async function actOn(count: number, ...args: readonly string[]): Promise<OperationJson> {
  return await eventually(`${args.join(' ')} finds ${count}`, async () => {
    const operation = await cli<OperationJson>(...args)
    return operation.Matched === count && operation
  })
}

async function send(Subject: string, ...addresses: readonly string[]): Promise<readonly RowId[]> {
  const To = addresses.map((Address) => ({ Address }))
  const { status, json } = await postern.call('Send', {
    To,
    Subject,
    Text: 'x',
    MessageID: `<${Subject}@x.test>`,
  })
  assert.equal(status, 200, JSON.stringify(json))
  return (json.Submissions as { QueueMsgID: RowId }[]).map(({ QueueMsgID }) => QueueMsgID)
}

async function shown(id: RowId): Promise<QueuedMessageJson> {
  return await cli<QueuedMessageJson>('queue', 'print', `postern/${id}`)
}

async function attemptsOf(id: RowId): Promise<number> {
  return (await storesOf(postern.table).queue.read('postern', id))?.attempts ?? assert.fail('no row')
}

async function isDone(id: RowId): Promise<boolean> {
  return (await storesOf(postern.table).queue.read('postern', id))?.state === 'done'
}

async function sweep(): Promise<void> {
  await postern.local.cloud.invoke('WorkersSweepFunction', {})
}

function eventsOf(id: RowId) {
  return application.calls
    .filter(({ json }) => json.QueueMsgID === id)
    .map(({ json: { Event, SMTPCode, Error: error } }) => ({ Event, SMTPCode, Error: error }))
}

/** Stored mail that says that it is about a message of that subject. */
async function noticesAbout(subject: string): Promise<readonly string[]> {
  const mails = await cli<{ MsgID: number; Subject: string; MailboxName: string }[]>('mail', 'list')
  const references = await Promise.all(
    mails.map(async (mail) => {
      const { json } = await postern.call('MessageGet', { MsgID: mail.MsgID })
      const { References } = json.Message as { References: readonly string[] }
      return References.includes(`<${subject}@x.test>`) ? [`${mail.MailboxName}: ${mail.Subject}`] : []
    }),
  )
  return references.flat()
}

test('AT-27, AT-41e: of three messages one gets RequireTLS, one is dropped, and one fails with one notice', async () => {
  const ids = [
    ...(await send('first', 'a@held.test')),
    ...(await send('second', 'b@held.test')),
    ...(await send('third', 'c@held.test')),
  ]
  const [first, second, third] = ids as [RowId, RowId, RowId]
  await eventually('all are listed', async () => {
    const listed = await cli<QueuedMessageJson[]>('queue', 'list', '--to', '@held.test', '--sort', 'Queued')
    if (listed.length < 3) return false
    assert.deepEqual(
      listed.map(({ ID, HoldReason, RequireTLS }) => [ID, HoldReason, RequireTLS]),
      ids.map((id) => [id, `hold rule ${heldTest.ID}`, null]),
    )
    return true
  })

  assert.equal(
    (await cli<OperationJson>('queue', 'requiretls', 'yes', '--ids', `postern/${first}`)).Changed,
    1,
  )
  assert.equal((await shown(first)).RequireTLS, true)
  assert.equal((await shown(second)).RequireTLS, null)

  assert.equal((await cli<OperationJson>('queue', 'drop', '--ids', String(second), '--yes')).Changed, 1)
  assert.equal((await cli<OperationJson>('queue', 'fail', '--ids', String(third), '--yes')).Changed, 1)
  await eventually('both are told', () => eventsOf(second).length > 0 && eventsOf(third).length > 0)
  assert.deepEqual(eventsOf(second), [{ Event: 'canceled', SMTPCode: 0, Error: 'dropped by an operator' }])
  assert.deepEqual(eventsOf(third), [{ Event: 'failed', SMTPCode: 0, Error: 'failed by an operator' }])
  await eventually('the notice', async () => (await noticesAbout('third')).length > 0)
  await sweep()
  assert.deepEqual(await noticesAbout('third'), ['Inbox: mail delivery failed'])
  assert.deepEqual(await noticesAbout('second'), [])

  const retired = await eventually('both are retired', async () => {
    const found = await cli<RetiredMessageJson[]>(
      'queue',
      'retired',
      'list',
      '--to',
      '@held.test',
      '--sort',
      'Queued',
    )
    return found.length === 2 && found
  })
  assert.deepEqual(
    retired.map(({ ID, Success, Attempts, Results }) => [ID, Success, Attempts, Results.at(-1)?.Error]),
    [
      [third, false, 0, 'failed by an operator'],
      [second, false, 0, 'dropped by an operator'],
    ],
  )
  const gone = `/queue/postern/${second}/content`
  await assert.rejects(postern.admin.download(gone), /is finished: its content is not kept/)
})

test('AT-31: a dump is the message octet for octet; an ID that nothing has is an error', async () => {
  const [id] = await send('dumped', 'a@held.test')
  assert.ok(id)
  const content = Buffer.from(await postern.admin.download(`/queue/${id}/content`))
  assert.deepEqual(content, Buffer.from((await storesOf(postern.table).content.read(`queue/${id}`)) ?? []))
  assert.match(content.toString(), /^Subject: dumped\r$/m)
  await assert.rejects(postern.admin.download('/queue/postern/9/content'), {
    message: 'there is no postern/9',
  })
})

test('AT-32: rescheduling counts only what exists and is not finished', async () => {
  const [waiting, dropped] = [...(await send('stays', 'a@held.test')), ...(await send('goes', 'b@held.test'))]
  await cli('queue', 'drop', '--ids', String(dropped), '--yes')
  const ids = `postern/${waiting},postern/${dropped},postern/9`
  const operation = await cli<OperationJson>('queue', 'schedule', '30m', '--ids', ids)
  assert.deepEqual([operation.Matched, operation.Changed], [1, 1])
  const at = Date.parse((await shown(waiting as RowId)).NextAttempt)
  assert.ok(Math.abs(at - Date.parse(operation.Started) - 30 * MINUTE) < SECOND)
  await cli('queue', 'postpone', '-10m', '--ids', String(waiting))
  assert.equal(Date.parse((await shown(waiting as RowId)).NextAttempt), at - 10 * MINUTE)
})

test('AT-42: what rules hold is not attempted until it is released; without rules there is an attempt at once', async () => {
  const rules = [
    await cli<HoldRuleJson>('holdrules', 'add', '--account', 'postern'),
    await cli<HoldRuleJson>('holdrules', 'add', '--all'),
  ]
  await known()
  const [held] = (await send('released', 'a@open.test')) as [RowId]
  assert.equal((await shown(held)).HoldReason, `hold rule ${rules[0]?.ID}`)
  await postern.local.cloud.clock.advance(2 * MINUTE)
  await sweep()
  assert.equal(await attemptsOf(held), 0)
  await cli('queue', 'release', '--ids', `postern/${held}`)
  await eventually('it is delivered, although the rules are there', () => isDone(held))

  const [kept] = (await send('kept', 'b@open.test')) as [RowId]
  for (const { ID } of rules) await cli('holdrules', 'remove', String(ID))
  const left = await cli<HoldRuleJson[]>('holdrules', 'list')
  assert.deepEqual(
    left.map(({ Recipient }) => Recipient),
    ['held.test'],
  )
  await known()
  assert.equal((await shown(kept)).HoldReason, `hold rule ${rules[0]?.ID}`)

  await cli('queue', 'schedule', '1h', '--ids', String(kept))
  await cli('queue', 'release', '--ids', String(kept))
  await sweep()
  assert.deepEqual([(await shown(kept)).Hold, await attemptsOf(kept)], [false, 0])
  await actOn(1, 'queue', 'schedule', 'now', '--from', '@localhost', '--to', 'b@open.test')
  await eventually('it is delivered when its time is now', () => isDone(kept))

  const [free] = (await send('free', 'c@open.test')) as [RowId]
  await eventually('it is delivered at once', () => isDone(free))
})

test('AT-42, AT-66: a new rule with an IDN domain holds what waits, and again what was released before it', async () => {
  const [waiting] = (await send('waits', 'a@bücher.closed.test')) as [RowId]
  const add = async () => await cli<HoldRuleJson>('holdrules', 'add', '--recipient', 'bücher.closed.test')
  // Only what the index shows already is held by the rule's own operation, and the rest when it is attempted.
  await eventually('it is listed', async () =>
    (await cli<QueuedMessageJson[]>('queue', 'list', '--to', '@bücher')).some(({ ID }) => ID === waiting),
  )
  const first = await add()
  assert.equal(first.Recipient, 'bücher.closed.test')
  assert.equal((await shown(waiting)).HoldReason, `hold rule ${first.ID}`)
  await cli('queue', 'release', '--ids', String(waiting))
  assert.equal((await shown(waiting)).Hold, false)
  const second = await add()
  assert.equal((await shown(waiting)).HoldReason, `hold rule ${second.ID}`)
  await cli('queue', 'drop', '--ids', String(waiting), '--yes')
})
