import middy from '@middy/core'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { sweep } from '../../shared/attempts/sweep.ts'
import { SECOND } from '../../shared/base/clock.ts'
import { disableFailing } from '../../shared/disabling/disable-failing.ts'
import { carryOn } from '../../shared/operations/carry-on.ts'
import { abandonUncommitted } from '../../shared/queue/abandon-uncommitted.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { sweptMessages } from '../../shared/queue/swept-messages.ts'
import { spreadByUrl } from '../../shared/webhook/spread-by-url.ts'
import { callHint, LONGEST_HINT_WAIT_MS } from '../../shared/webhook/webhook-call.ts'
import { sweepPorts } from './ports.ts'

/** The function has 55 seconds. */
const OPERATIONS_END_AFTER = 40 * SECOND

const ports = sweepPorts()
const dispose = (row: QueuedMessage) => abandonUncommitted(ports, row)
const webhookCalls = {
  ...{ store: ports.calls, channel: ports.webhooks, hint: callHint, spread: spreadByUrl },
  longestWaitMs: LONGEST_HINT_WAIT_MS,
}

export const handler = middy().handler(async () => {
  const begunAt = clock.now()
  const options = await ports.options.read()
  const names = [...Object.keys(options.accounts), ...options.removedAccounts]
  const mail = await sweep({ ...(await sweptMessages(ports, options)), dispose }, names, clock)
  const hook = await sweep(webhookCalls, names, clock)
  const operations = await carryOn(ports, begunAt + OPERATIONS_END_AFTER)
  const { disabled } = await disableFailing(ports)
  log.info('swept', { mail: mail.hinted, hook: hook.hinted, disabled, operations: operations.rows })
})
