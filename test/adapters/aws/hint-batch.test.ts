import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SQSRecord } from 'aws-lambda'
import { followHints } from '../../../shared/adapters/aws/hint-batch.ts'
import { formatHint, type Hint } from '../../../shared/attempts/hint-channel.ts'
import { MINUTE } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'

const sentAt = Date.UTC(2026, 5, 1)
const silent = { info: () => {}, warn: () => {}, error: () => {} }

function record(messageId: string, waitedMs: number, body: string, receives = 1): SQSRecord {
  return {
    ...{ messageId, body, receiptHandle: 'r', messageAttributes: {}, md5OfBody: '' },
    attributes: {
      SentTimestamp: String(sentAt),
      ApproximateFirstReceiveTimestamp: String(sentAt + waitedMs),
      ApproximateReceiveCount: String(receives),
      SenderId: 's',
    },
    ...{ eventSource: 'aws:sqs', eventSourceARN: 'arn', awsRegion: 'us-east-1' },
  }
}

const hint: Hint = { account: 'shop', id: rowIdAt(sentAt, 1), attempt: 1 }

/** The hints that were followed, and the messages that failed. */
async function follow(records: readonly SQSRecord[], longestWaitMs?: number, fails = false) {
  const followed: Hint[] = []
  const handler = followHints(
    async (given) => {
      followed.push(given)
      if (fails) throw new Error('on purpose')
    },
    silent,
    longestWaitMs,
  )
  const { batchItemFailures } = await handler({ Records: [...records] })
  return { followed, failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) }
}

const waits: readonly [
  rule: string,
  waitedMs: number,
  longestWaitMs: number | undefined,
  follows: boolean,
][] = [
  ['within the limit is followed', 5 * MINUTE, 5 * MINUTE, true],
  ['for longer is dropped, and its message with it', 5 * MINUTE + 1, 5 * MINUTE, false],
  ['for any time is followed where there is no limit', 600 * MINUTE, undefined, true],
]
for (const [rule, waitedMs, longestWaitMs, follows] of waits) {
  test(`a hint that waited ${rule}`, async () => {
    const outcome = await follow([record('m', waitedMs, formatHint(hint))], longestWaitMs)
    assert.deepEqual(outcome, { followed: follows ? [hint] : [], failed: [] })
  })
}

test('a hint that failed comes again however late, so that it ends as a dead letter', async () => {
  const again = record('m', MINUTE, formatHint(hint), 5)
  assert.deepEqual((await follow([again], 5 * MINUTE, true)).failed, ['m'])
})

test('of a batch only what failed comes again', async () => {
  const records = [record('good', 0, formatHint(hint)), record('bad', 0, 'no hint')]
  assert.deepEqual(await follow(records), { followed: [hint], failed: ['bad'] })
})
