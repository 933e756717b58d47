import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { after, before, test } from 'node:test'
import { eventually } from '../../../scripts/eventually.ts'
import { sqsHintChannel } from '../../../shared/adapters/aws/hint-channel.ts'
import { pollHints } from '../../../shared/adapters/aws/hint-poller.ts'
import { systemClock, wait } from '../../../shared/adapters/system/clock.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import type { Hint } from '../../../shared/attempts/hint-channel.ts'
import type { Log } from '../../../shared/base/log.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { domainPacing } from '../../../shared/direct/domain-pacing.ts'
import { openContract } from '../../contracts/sqs-contract.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { seededRandom } from '../../support/seeded-random.ts'

let sqs: Awaited<ReturnType<typeof openContract>>
before(async () => {
  sqs = await openContract()
})
after(() => sqs.close())

const silent: Log = { info() {}, warn() {}, error() {} }
const hint = (place: number, account = 'shop'): Hint => ({
  account,
  id: rowIdAt(systemClock.now(), place),
  attempt: 1,
})

/** Follows what comes to a queue until the test is over. */
function polling(t: TestContext, queueUrl: string, follow: (hint: Hint) => Promise<void>, most = 100) {
  const poller = pollHints({ queueUrl, follow, most, log: silent, client: sqs.client })
  t.after(() => poller.stop(0))
  const channel = sqsHintChannel(queueUrl, silent, sqs.client)
  return { poller, channel }
}

test('a hint that was followed is deleted', async (t) => {
  const queueUrl = await sqs.createQueue(t, { VisibilityTimeout: '1' })
  const followed: Hint[] = []
  const { channel } = polling(t, queueUrl, async (each) => void followed.push(each))
  const sent = hint(1)
  await channel.send([sent])
  await eventually('it is followed', () => followed.length === 1)
  assert.deepEqual(followed, [sent])
  await eventually('it is gone', async () => {
    const { visible, notVisible } = await sqs.countsOf(queueUrl)
    return visible === '0' && notVisible === '0'
  })
})

test('a hint that fails comes again when its visibility time-out is over, and rests at last with the dead letters', async (t) => {
  const { source, dead } = await sqs.createPair(t, 2)
  let tries = 0
  const { channel } = polling(t, source, async () => {
    tries += 1
    throw new Error('a fault of ours')
  })
  await channel.send([hint(1)])
  await eventually('two tries', () => tries === 2)
  await eventually('a dead letter', async () => (await sqs.receive(dead)).length === 1)
  assert.equal(tries, 2)
})

test('no more hints are followed at a time than were asked for', async (t) => {
  const queueUrl = await sqs.createQueue(t)
  const held = Promise.withResolvers<void>()
  const started: Hint[] = []
  const { channel } = polling(
    t,
    queueUrl,
    async (each) => {
      started.push(each)
      await held.promise
    },
    3,
  )
  await channel.send(Array.from({ length: 8 }, (_, place) => hint(place)))
  await eventually('three', () => started.length === 3)
  assert.equal(await channel.depth(), 5)
  held.resolve()
  await eventually('all', () => started.length === 8)
})

test('told to stop, it takes nothing more and waits for what it follows', async (t) => {
  const queueUrl = await sqs.createQueue(t)
  const held = Promise.withResolvers<void>()
  const started: Hint[] = []
  const { poller, channel } = polling(t, queueUrl, async (each) => {
    started.push(each)
    await held.promise
  })
  await channel.send([hint(1)])
  await eventually('it begins', () => started.length === 1)
  assert.equal(await poller.stop(1), false)
  await channel.send([hint(2)])
  const stopping = poller.stop(10_000)
  held.resolve()
  assert.equal(await stopping, true)
  // A request that was under way may have taken it: then it comes again when its time-out is over.
  const { visible, notVisible } = await sqs.countsOf(queueUrl)
  assert.deepEqual([started.length, Number(visible) + Number(notVisible)], [1, 1])
})

test('one slow domain with 500 hints does not delay the mail of another', async (t) => {
  const queueUrl = await sqs.createQueue(t)
  const pacing = domainPacing({ clock: systemClock, random: seededRandom(), wait })
  const held = Promise.withResolvers<void>()
  t.after(() => held.resolve())
  const counts = { slow: 0, quick: 0, putOff: 0 }
  const { channel } = polling(t, queueUrl, async (each) => {
    const domain = each.account as 'slow' | 'quick'
    const row = queuedMessage({ recipient: parseAddress(`bob@${domain}.example`) })
    const admission = await pacing.admit({ kind: 'direct' }, [row])
    if (admission.kind === 'later') {
      counts.putOff += 1
      return await channel.send([{ ...each, delayMs: admission.at - systemClock.now() }])
    }
    counts[domain] += 1
    if (domain === 'slow') await held.promise
    admission.ended([{ kind: 'accepted', code: 250, enhancedCode: '2.0.0', reply: '' }])
  })
  await channel.send(Array.from({ length: 500 }, (_, place) => hint(place, 'slow')))
  await channel.send(Array.from({ length: 20 }, (_, place) => hint(place, 'quick')))
  await eventually('the mail of the quick domain', () => counts.quick === 20, 60_000)
  assert.equal(counts.slow, 5)
  assert.ok(counts.putOff >= 400, `${counts.putOff}`)
})
