import middy from '@middy/core'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { sqsHintChannel } from '../../shared/adapters/aws/hint-channel.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { sweep } from '../../shared/attempts/sweep.ts'
import { abandonUncommitted } from '../../shared/queue/abandon-uncommitted.ts'
import { attemptHint, type QueuedMessage } from '../../shared/queue/queued-message.ts'
import { hasOwnS3Endpoint, requiredSetting } from '../../shared/runtime/settings.ts'
import { callHint } from '../../shared/webhook/webhook-call.ts'

const table = dynamoTable(requiredSetting('table'), random)
const content = awsContentStore({
  table,
  objects: lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint()),
  clock,
})
const options = dynamoOptionsStore(table, clock)
const queue = dynamoQueueStore(table)
const deliveries = sqsHintChannel(requiredSetting('deliveriesQueueUrl'), log)
const calls = dynamoWebhookStore(table)
const webhooks = sqsHintChannel(requiredSetting('webhooksQueueUrl'), log)
const dispose = (row: QueuedMessage) => abandonUncommitted({ queue, content, clock }, row)

export const handler = middy().handler(async () => {
  const { accounts, removedAccounts } = await options.read()
  const names = [...Object.keys(accounts), ...removedAccounts]
  const mail = await sweep({ store: queue, channel: deliveries, hint: attemptHint, dispose }, names, clock)
  const hook = await sweep({ store: calls, channel: webhooks, hint: callHint }, names, clock)
  log.info('swept', { mail: mail.hinted, hook: hook.hinted })
})
