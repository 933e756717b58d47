import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { eventually } from '../../scripts/eventually.ts'
import { getItem } from '../../shared/adapters/aws/dynamo.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import { parseAddress } from '../../shared/address/address.ts'
import { formatHint, type HintChannel } from '../../shared/attempts/hint-channel.ts'
import { sweep } from '../../shared/attempts/sweep.ts'
import { DAY, MINUTE } from '../../shared/base/clock.ts'
import { queueContent } from '../../shared/content/content-store.ts'
import { abandonUncommitted } from '../../shared/queue/abandon-uncommitted.ts'
import { attemptHint, type QueuedMessage } from '../../shared/queue/queued-message.ts'
import { type Submission, submit } from '../../shared/queue/submit.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
let sqs: SQSClient
const ends: (() => unknown)[] = []

/** A hint channel that loses everything. */
const lossy: HintChannel = { send: async () => {}, depth: async () => 0 }

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
  sqs = new SQSClient({ ...postern.local.cloud.clientConfig(), useQueueUrlAsEndpoint: false })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('a lost hint: the sweep finds the message when somebody must look, and it is delivered', async () => {
  const row = await submitWithoutHint('lost-hint', fakeClock(Date.now() - 2 * MINUTE))
  assert.deepEqual(await mailsOf('lost-hint'), [])
  await postern.local.cloud.invoke('WorkersSweepFunction', {})
  await eventually('the mail', async () => (await mailsOf('lost-hint')).length === 1)
  await eventually('the row is done', async () => (await read(row))?.state === 'done')
})

test('doubled, late and wrong hints: one attempt, one mail', async () => {
  const row = await submitWithoutHint('doubled-hint')
  const hints = [attemptHint(row), attemptHint(row), attemptHint(row), { ...attemptHint(row), attempt: 2 }]
  await sendHints([...hints, { ...attemptHint(row), attempt: 0 }, { ...attemptHint(row), account: 'nobody' }])
  await eventually('the row is done', async () => (await read(row))?.state === 'done')
  await sendHints(hints)
  await eventually(
    'the queue is empty',
    async () => (await postern.admin.get<unknown[]>('/queue')).length === 0,
  )
  assert.equal((await mailsOf('doubled-hint')).length, 1)
  assert.equal((await read(row))?.attempts, 1)
})

test('a worker killed between claim and outcome: its attempt is recorded as interrupted, the next one delivers', async () => {
  const row = await submitWithoutHint('killed-worker')
  await runKilled('die-in-attempt.ts', [formatHint(attemptHint(row))])
  const claimed = await read(row)
  assert.deepEqual(
    [claimed?.state, claimed?.attempts, claimed?.results.at(0)?.status],
    ['attempting', 1, 'running'],
  )

  await sendHints([{ ...attemptHint(row), attempt: 2 }])
  await eventually('the row is done', async () => {
    if ((await read(row))?.state === 'done') return true
    await sendHints([{ ...attemptHint(row), attempt: 2 }])
    return false
  })
  const done = await read(row)
  assert.deepEqual(
    done?.results.map(({ attempt, status }) => [attempt, status]),
    [
      [1, 'interrupted'],
      [2, 'success'],
    ],
  )
  assert.equal((await mailsOf('killed-worker')).length, 1)
})

test('a sweep leaves a claimed row alone until its lease ends', async () => {
  const row = await submitWithoutHint('leased', fakeClock(Date.now() - 2 * MINUTE))
  const { queue } = storesOf(postern.table)
  const endsAt = Date.now() + 2_000
  await queue.claim(row, {
    attempt: 1,
    lease: { owner: 'somebody', endsAt },
    running: {
      attempt: 1,
      startedAt: Date.now(),
      durationMs: 0,
      status: 'running',
      code: 0,
      enhancedCode: '',
      reply: '',
      error: '',
    },
  })
  const hinted: unknown[] = []
  const channel = { ...lossy, send: async (hints: readonly unknown[]) => void hinted.push(...hints) }
  const kind = { store: queue, channel, hint: attemptHint }
  await sweep(kind, ['postern'], { now: () => Date.now() })
  assert.deepEqual(hinted, [])
  await sweep(kind, ['postern'], { now: () => endsAt + 1 })
  assert.equal(hinted.length, 1)
  await postern.local.cloud.invoke('WorkersSweepFunction', {})
})

test('killed before the commit: neither recipient is delivered or visible, and the sweep clears all of it away', async () => {
  await runKilled('die-in-submit.ts', ['before-commit', 'uncommitted'])
  const { queue, content } = storesOf(postern.table)
  const rows = await queue.due('postern', Date.now() + DAY, 100)
  const orphans = rows.filter(({ subject }) => subject === 'uncommitted')
  assert.equal(orphans.length, 2)
  const [orphan] = orphans
  assert.ok(orphan)

  await sendHints(orphans.map(attemptHint))
  await postern.local.cloud.invoke('WorkersSweepFunction', {})
  assert.equal(await countQueued('uncommitted'), 0)

  const later = fakeClock(Date.now() + 16 * MINUTE)
  const hinted: unknown[] = []
  const channel: HintChannel = {
    ...lossy,
    send: async (hints) => void hinted.push(...hints.map(({ id }) => id)),
  }
  const dispose = (row: QueuedMessage) => abandonUncommitted({ queue, content, clock: later }, row)
  await sweep({ store: queue, channel, hint: attemptHint, dispose }, ['postern'], later)
  for (const row of orphans) assert.ok(!hinted.includes(row.id))
  for (const row of orphans) assert.equal(await read(row), undefined)
  assert.equal(await content.read(queueContent(orphan.base)), undefined)
  assert.equal((await getItem(postern.table, keys.decision(orphan.base)))?.kind, 'aborted')
  assert.deepEqual(await mailsOf('uncommitted'), [])
  const tooLate = await queue.decide(orphan.base, { kind: 'committed', domains: {} }, Date.now() + DAY)
  assert.equal(tooLate.kind, 'aborted', 'a Send that was given up cannot be committed any more')
})

test('on hold with several recipients: before the commit it is cleared away too, after it it lies where no sweep meets it', async () => {
  const { queue, content } = storesOf(postern.table)
  const clock = fakeClock(Date.now() - 20 * MINUTE)
  const rule = { id: 1, createdAt: clock.now(), account: '', sender: '', recipient: '' }
  const options = dynamoOptionsStore(postern.table, clock)
  const held = {
    options: { read: async () => ({ ...(await options.read()), holdRules: [rule] }) },
    ...{ queue, content, deliveries: lossy, clock, random: systemRandom },
  }
  const died = new Error('died before the commit')
  const dying = { ...held, queue: { ...queue, decide: () => Promise.reject(died) } }
  await assert.rejects(submit(dying, submission('held, dead', 2)), died)
  const rows = await submit(held, submission('held', 2))
  const dispose = (row: QueuedMessage) =>
    abandonUncommitted({ queue, content, clock: { now: Date.now } }, row)
  await eventually('both Sends are seen to', async () => {
    await sweep({ store: queue, channel: lossy, hint: attemptHint, dispose }, ['postern'], { now: Date.now })
    const due = await queue.due('postern', Date.now(), 100)
    return !due.some(({ subject }) => subject.startsWith('held'))
  })
  assert.deepEqual(await Promise.all(rows.map(async (row) => (await read(row))?.hold?.reason)), [
    'hold rule 1',
    'hold rule 1',
  ])
  assert.equal(await countQueued('held'), 2)
  assert.equal(await countQueued('held, dead'), 0)
})

test('killed after the commit: both recipients are delivered', async () => {
  await runKilled('die-in-submit.ts', ['after-commit', 'committed'])
  assert.equal(await countQueued('committed'), 2)
  const { queue } = storesOf(postern.table)
  const channel = {
    ...lossy,
    send: async (hints: Parameters<HintChannel['send']>[0]) => await sendHints(hints),
  }
  await sweep({ store: queue, channel, hint: attemptHint }, ['postern'], {
    now: () => Date.now() + 2 * MINUTE,
  })
  await eventually('both mails', async () => (await mailsOf('committed')).length === 2)
})

async function submitWithoutHint(subject: string, clock = fakeClock(Date.now())): Promise<QueuedMessage> {
  const { queue, content } = storesOf(postern.table)
  const [row] = await submit(
    {
      options: dynamoOptionsStore(postern.table, clock),
      queue,
      content,
      deliveries: lossy,
      clock,
      random: systemRandom,
    },
    submission(subject, 1),
  )
  assert.ok(row)
  return row
}

function submission(subject: string, recipients: number): Submission {
  const addresses = ['someone@elsewhere.test', 'another@somewhere.test'].slice(0, recipients)
  return {
    account: 'postern',
    mailFrom: parseAddress('postern@localhost'),
    recipients: addresses.map(parseAddress),
    content: Buffer.from(`Subject: ${subject}\r\n\r\nx\r\n`),
    messageId: `<${subject}@localhost>`,
    subject,
    has8bit: false,
    smtputf8: false,
    extra: {},
  }
}

async function read(row: QueuedMessage): Promise<QueuedMessage | undefined> {
  return await storesOf(postern.table).queue.read(row.account, row.id)
}

async function mailsOf(subject: string): Promise<readonly unknown[]> {
  const mails = await postern.admin.get<{ Subject: string }[]>('/mail?limit=1000')
  return mails.filter(({ Subject }) => Subject === subject)
}

async function countQueued(subject: string): Promise<number> {
  const rows = await postern.admin.get<{ Subject: string }[]>('/queue')
  return rows.filter(({ Subject }) => Subject === subject).length
}

async function sendHints(hints: readonly Parameters<typeof formatHint>[0][]): Promise<void> {
  const entries = hints.map((hint, place) => ({ Id: String(place), MessageBody: formatHint(hint) }))
  const QueueUrl = postern.local.cloud.outputs.DeliveriesQueueUrl
  await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries }))
}

/** Runs a script that is killed on the way; this process is the cloud, so it must not stand still meanwhile. */
async function runKilled(name: string, more: readonly string[]): Promise<void> {
  const config = JSON.stringify(postern.local.cloud.clientConfig())
  const script = join(import.meta.dirname, '..', 'fixtures', name)
  const args = [script, config, postern.table.name, ...more]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}
