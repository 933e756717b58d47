import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SQSClient } from '@aws-sdk/client-sqs'
import { findFreePort } from '../../infra/local/free-port.ts'
import { eventually } from '../../scripts/eventually.ts'
import { sqsHintChannel } from '../../shared/adapters/aws/hint-channel.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import { parseAddress } from '../../shared/address/address.ts'
import type { HintChannel } from '../../shared/attempts/hint-channel.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { attemptHint, type QueuedMessage } from '../../shared/queue/queued-message.ts'
import { submit } from '../../shared/queue/submit.ts'
import { variables } from '../../shared/runtime/names.ts'
import { type MailHost, mailHost } from '../support/mail-host.ts'
import { findTaskProcess } from '../support/task-process.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { zoneServer } from '../support/zone-server.ts'

let postern: TestPostern
let remote: MailHost
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

before(async () => {
  remote = await mailHost(context)
  const dns = await zoneServer(context, {
    'direct.example': { MX: [[10, 'mx.direct.example']] },
    'mx.direct.example': { A: ['127.0.0.1'] },
  })
  postern = await testPostern(context, {
    egress: 'nat-gateway',
    environment: {
      sender: {
        [variables.dnsServers]: dns.address,
        [variables.smtpDestinationPort]: String(remote.port),
        [variables.deliverToAnyAddress]: 'true',
        [variables.healthPort]: String(await findFreePort('127.0.0.1')),
      },
    },
  })
  const toDirect = { fromDomains: [], toDomains: ['direct.example'], minimumAttempts: 0, transport: 'mx' }
  await dynamoOptionsStore(postern.table, postern.local.cloud.clock).change((options) => ({
    ...options,
    transports: { ...options.transports, mx: { kind: 'direct' } },
    routes: [toDirect, ...options.routes],
  }))
  // Beyond what a running program remembers of the options.
  await postern.local.cloud.clock.advance(10 * SECOND)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

async function send(address: string): Promise<RowId> {
  const sent = await postern.call('Send', { To: [{ Address: address }], Subject: 'Hello', Text: 'x' })
  const [submission] = sent.json.Submissions as { QueueMsgID: RowId }[]
  return submission?.QueueMsgID ?? assert.fail(JSON.stringify(sent.json))
}

async function readRow(id: RowId): Promise<QueuedMessage> {
  const row = await storesOf(postern.table).queue.read('postern', id)
  return row ?? assert.fail(`no row ${id}`)
}

async function delivered(id: RowId): Promise<QueuedMessage> {
  return await eventually('the delivery', async () => {
    const row = await readRow(id)
    return row.state === 'done' && row
  })
}

function takenOf(recipient: string): number {
  return remote.taken.filter((each) => each === recipient).length
}

function senderPid(): number {
  return findTaskProcess(variables.smtpDestinationPort)?.pid ?? assert.fail('no sender is running')
}

async function untilRestarted(pid: number): Promise<void> {
  await eventually('the next sender', () => {
    const task = findTaskProcess(variables.smtpDestinationPort)
    return task !== undefined && task.pid !== pid
  })
}

test('a message whose route is direct is delivered to the server of its domain by the sender', async () => {
  const row = await delivered(await send('ann@direct.example'))
  assert.deepEqual(
    row.results.map(({ status, remote: server }) => [status, server?.ipAddress]),
    [['success', '127.0.0.1']],
  )
  assert.equal(takenOf('ann@direct.example'), 1)
})

/** Accepts a message that nobody is told of, and hints it in that queue. */
async function hintedThrough(output: 'DirectQueueUrl' | 'DeliveriesQueueUrl', to: string): Promise<RowId> {
  const { clock, clientConfig, outputs } = postern.local.cloud
  const { queue, content } = storesOf(postern.table, clock)
  const lossy: HintChannel = { send: async () => {}, depth: async () => 0 }
  const options = dynamoOptionsStore(postern.table, clock)
  const [row = assert.fail()] = await submit(
    { options, queue, content, deliveries: lossy, clock, random: systemRandom },
    {
      ...{ account: 'postern', mailFrom: parseAddress('postern@localhost'), recipients: [parseAddress(to)] },
      ...{ subject: 'Hint', messageId: `<${to}>`, has8bit: false, smtputf8: false, extra: {} },
      content: Buffer.from('From: postern@localhost\r\nSubject: Hint\r\n\r\nhello\r\n'),
    },
  )
  const sqs = new SQSClient({ ...clientConfig(), useQueueUrlAsEndpoint: false })
  const silent = {
    info() {},
    warn() {},
    error: (event: string, error: unknown) => assert.fail(`${event} ${error}`),
  }
  await sqsHintChannel(outputs[output] ?? '', silent, sqs).send([attemptHint(row)])
  sqs.destroy()
  return row.id
}

test('a hint that came to the functions is forwarded to the sender', async () => {
  await delivered(await hintedThrough('DeliveriesQueueUrl', 'bea@direct.example'))
  assert.equal(takenOf('bea@direct.example'), 1)
})

test('a hint that came to the sender is forwarded to the functions', async () => {
  const { results } = await delivered(await hintedThrough('DirectQueueUrl', 'cid@other.example'))
  assert.deepEqual(
    results.map(({ status, remote: server }) => [status, server?.host]),
    [['success', '127.0.0.1']],
  )
  assert.equal(takenOf('cid@other.example'), 0)
})

test('SIGTERM in mid-delivery: the delivery ends as it would have, what comes meanwhile is the next sender’s', async () => {
  const held = remote.hold('dan@direct.example')
  const during = await send('dan@direct.example')
  await held.received
  const pid = senderPid()
  process.kill(pid, 'SIGTERM')
  const meanwhile = await send('eve@direct.example')
  held.answer()
  await delivered(during)
  await untilRestarted(pid)
  // A request that was under way when the sender was told to stop may have taken the hint: then the sweep stands in.
  await postern.local.cloud.clock.advance(2 * MINUTE)
  await delivered(meanwhile)
  assert.deepEqual([takenOf('dan@direct.example'), takenOf('eve@direct.example')], [1, 1])
})

test('kill -9 in mid-delivery: the attempt counts as interrupted, and is made again when its lease is over', async () => {
  const held = remote.hold('flo@direct.example')
  const id = await send('flo@direct.example')
  await held.received
  const pid = senderPid()
  process.kill(pid, 'SIGKILL')
  await untilRestarted(pid)
  assert.equal((await readRow(id)).state, 'attempting')
  await postern.local.cloud.clock.advance(14 * MINUTE)
  assert.equal((await readRow(id)).attempts, 1, 'not before the lease is over')
  await postern.local.cloud.clock.advance(2 * MINUTE)
  const { results } = await delivered(id)
  assert.deepEqual(
    results.map(({ attempt, status }) => [attempt, status]),
    [
      [1, 'interrupted'],
      [2, 'success'],
    ],
  )
})
