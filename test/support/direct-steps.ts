import assert from 'node:assert/strict'
import { SQSClient } from '@aws-sdk/client-sqs'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { deleteItem, getItem } from '../../shared/adapters/aws/dynamo.ts'
import { sqsHintChannel } from '../../shared/adapters/aws/hint-channel.ts'
import { dynamoPolicyStore } from '../../shared/adapters/aws/policy-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { jsonLog } from '../../shared/adapters/system/log.ts'
import type { TlsResultJson } from '../../shared/admin/tls-results.ts'
import { DAY } from '../../shared/base/clock.ts'
import { parsePolicy } from '../../shared/mta-sts/policy.ts'
import { attemptHint, type QueuedMessage } from '../../shared/queue/queued-message.ts'
import { fakeClock } from './fake-clock.ts'
import type { FakeZone } from './fake-dns.ts'
import {
  type Installation,
  large,
  type Outside,
  read,
  type Step,
  sendTo,
  submitAsOperator,
} from './integration-steps.ts'
import { readCall, sendOne, waitingCall } from './webapi-steps.ts'

/** What the sender's DNS has: a domain with a server on loopback, and an MTA-STS policy that cannot be had from there. */
export const directZone: FakeZone = {
  'direct.test': { MX: [[10, 'mx.direct.test']] },
  'mx.direct.test': { A: ['127.0.0.1'] },
  '_mta-sts.direct.test': { TXT: ['v=STSv1; id=1'] },
  'mta-sts.direct.test': { A: ['127.0.0.1'] },
}

/** Comes first: all programs may work with options that are five seconds old. */
export const setDirectRoute: Step = { name: 'a route leads to the servers of a domain', run: setRoute }

/** What the sender does. */
export const directSteps: readonly Step[] = [
  { name: 'direct: small and large mail reaches the server of its domain', run: deliver },
  { name: 'direct: a recipient that is refused is suppressed, and the sender told', run: fail },
  { name: 'direct: a delayed message goes when an operator wants it, and supersedes its event', run: retry },
  { name: 'direct: a hint in the wrong queue is forwarded, by function and sender', run: forward },
]

/** What takes its time: later than the others, and before a restart. */
export const policySteps: readonly Step[] = [
  { name: 'direct: what TLS came to is written down', run: noteTls },
  { name: 'direct: an MTA-STS policy is there that no mail has needed for 180 days', run: keepUnusedPolicy },
]

/** After a restart, at which the sender looks at the policies that are known. */
export const forgetPolicy: Step = { name: 'direct: that policy is forgotten', run: untilForgotten }

async function setRoute({ admin }: Installation): Promise<void> {
  await admin.put('/transports/mx', { Kind: 'direct' })
  const routes = await admin.get<object[]>('/routes')
  await admin.put('/routes', [{ ToDomain: ['.direct.test'], Transport: 'mx' }, ...routes])
}

async function deliver(postern: Installation, outside: Outside): Promise<void> {
  await sendTo(postern, ['small@direct.test'], { Subject: 'direct' })
  await sendTo(postern, ['large@direct.test'], { Subject: 'direct', Text: large() })
  for (const recipient of ['small@direct.test', 'large@direct.test']) await untilTaken(outside, recipient)
}

async function fail(postern: Installation, { mailHost }: Outside): Promise<void> {
  mailHost.refuse('nobody@direct.test', [{ code: 550, text: '5.1.1 no such mailbox' }])
  const { row } = await sendOne(postern, 'nobody@direct.test', 'refused')
  await eventually('the notice is given', async () => {
    const failed = await row()
    return failed?.state === 'done' && failed.owed === undefined
  })
  const answer = await postern.webapi('SuppressionPresent', { EmailAddress: 'nobody@direct.test' })
  assert.match(String(answer), /true/)
}

/** The application refuses the first call of each event, which waits then. */
async function retry(postern: Installation, outside: Outside): Promise<void> {
  outside.mailHost.refuse('later@direct.test', [{ code: 451, text: '4.2.1 later' }])
  const sent = await sendOne(postern, 'later@direct.test', 'flaky')
  const delayed = await waitingCall(postern, sent)
  const Filter = { IDs: [`${localSeed.account}/${sent.QueueMsgID}`] }
  await postern.admin.post('/queue/actions', { Action: 'schedule', At: 'now', Filter })
  await untilTaken(outside, 'later@direct.test')
  await eventually('it supersedes', async () => (await readCall(postern, delayed))?.supersededBy)
}

async function forward(postern: Installation, outside: Outside): Promise<void> {
  await hintThrough(postern, 'DeliveriesQueueUrl', 'forwarded@direct.test')
  await untilTaken(outside, 'forwarded@direct.test')
  const row = await hintThrough(postern, 'DirectQueueUrl', 'forwarded@one.test')
  await eventually('the functions deliver it', async () => (await read(postern, row))?.state === 'done')
}

/** Accepts a message that nobody is told of, and hints it in that queue. */
async function hintThrough(
  postern: Installation,
  queue: 'DeliveriesQueueUrl' | 'DirectQueueUrl',
  recipient: string,
): Promise<QueuedMessage> {
  const store = dynamoQueueStore(postern.table, systemClock)
  const message = { subject: 'forwarded', recipients: [recipient], text: 'x' }
  const [row = assert.fail('no row')] = await submitAsOperator(postern, store, 0, message)
  const { outputs, clientConfig } = postern.cloud
  const sqs = new SQSClient({ ...clientConfig(), useQueueUrlAsEndpoint: false })
  await sqsHintChannel(outputs[queue] ?? '', jsonLog, sqs).send([attemptHint(row)])
  sqs.destroy()
  return row
}

async function noteTls({ admin }: Installation): Promise<void> {
  const tenSecondsAfterItsSession = 15_000
  const [row] = await eventually(
    'TLS results',
    async () => {
      const rows = await admin.get<TlsResultJson[]>('/tls-results?domain=direct.test')
      return rows.length > 0 && rows
    },
    tenSecondsAfterItsSession,
  )
  assert.equal(row?.RecipientDomain, 'direct.test')
}

const UNUSED_DOMAIN = 'unused.test'

/** As of 200 days ago; and as if the turn of this hour's refresh were over. */
async function keepUnusedPolicy({ table }: Installation): Promise<void> {
  const clock = fakeClock(systemClock.now() - 200 * DAY)
  const published = parsePolicy('version: STSv1\nmode: testing\nmx: mx.unused.test\nmax_age: 604800\n')
  assert.ok('policy' in published)
  const validUntilAt = systemClock.now() + DAY
  await dynamoPolicyStore(table, clock, jsonLog).put(UNUSED_DOMAIN, {
    recordId: '1',
    validUntilAt,
    policy: published.policy,
  })
  await deleteItem(table, keys.stsRefresh())
}

async function untilForgotten({ table }: Installation): Promise<void> {
  const key = keys.stsPolicy(UNUSED_DOMAIN)
  await eventually('the policy is gone', async () => (await getItem(table, key)) === undefined)
}

async function untilTaken({ mailHost }: Outside, recipient: string): Promise<void> {
  await eventually(`the server has the mail for ${recipient}`, () => mailHost.taken.includes(recipient))
}
