import middy from '@middy/core'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { sweep } from '../../shared/attempts/sweep.ts'
import { SECOND } from '../../shared/base/clock.ts'
import { disableFailing } from '../../shared/disabling/disable-failing.ts'
import { carryOn } from '../../shared/operations/carry-on.ts'
import { abandonUncommitted } from '../../shared/queue/abandon-uncommitted.ts'
import { attemptHint, type QueuedMessage } from '../../shared/queue/queued-message.ts'
import { spreadByUrl } from '../../shared/webhook/spread-by-url.ts'
import { callHint, LONGEST_HINT_WAIT_MS } from '../../shared/webhook/webhook-call.ts'
import { sweepPorts } from './ports.ts'

/** The function has 55 seconds. */
const OPERATIONS_END_AFTER = 40 * SECOND

const ports = sweepPorts()
const { queue, calls } = ports
const dispose = (row: QueuedMessage) => abandonUncommitted(ports, row)
const messages = { store: queue, channel: ports.deliveries, hint: attemptHint, dispose }
const webhookCalls = {
  ...{ store: calls, channel: ports.webhooks, hint: callHint, spread: spreadByUrl },
  longestWaitMs: LONGEST_HINT_WAIT_MS,
}

export const handler = middy().handler(async () => {
  const begunAt = clock.now()
  const { accounts, removedAccounts } = await ports.options.read()
  const names = [...Object.keys(accounts), ...removedAccounts]
  const mail = await sweep(messages, names, clock)
  const hook = await sweep(webhookCalls, names, clock)
  const operations = await carryOn(ports, begunAt + OPERATIONS_END_AFTER)
  const { disabled } = await disableFailing(ports)
  log.info('swept', { mail: mail.hinted, hook: hook.hinted, disabled, operations: operations.rows })
})
