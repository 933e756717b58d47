import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { sesOf } from '../../functions/deliver/ses.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { attempt } from '../../shared/queue/attempt.ts'
import { attemptHint } from '../../shared/queue/queued-message.ts'
import { functionTransports } from '../../shared/queue/transports.ts'
import { SES_ACCOUNT, sesFlowPorts } from './ses-flow.ts'

// A process of its own that delivers what is due, as a function does: up to ten messages at a time, until it is killed.

const AT_ONCE = 10
const { SES_TEST_TABLE: name = '' } = process.env
const table = { client: new DynamoDBClient({}), name, random }
const ses = sesOf(table, 'postern')
if (!ses) throw new Error('there is a configuration set')
const ports = {
  ...sesFlowPorts(table),
  transport: functionTransports({ relay: { deliver: async () => [] }, ses: ses.transport }),
  pacing: ses.pacing,
}
process.send?.('ready')

for (;;) {
  const due = await ports.queue.due(SES_ACCOUNT, Date.now(), 60)
  const mine = due.filter((row) => row.state === 'waiting')
  const drawn = mine.map((row) => ({ row, at: Math.random() })).sort((a, b) => a.at - b.at)
  const hints = drawn.slice(0, AT_ONCE).map(({ row }) => attemptHint(row))
  await Promise.all(hints.map((hint) => attempt(ports, hint)))
  if (hints.length === 0) await sleep(200)
}
