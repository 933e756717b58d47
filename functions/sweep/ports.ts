import { dynamoCallLists } from '../../shared/adapters/aws/call-lists.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoDisablingStore } from '../../shared/adapters/aws/disabling-store.ts'
import { dynamoFailingStore } from '../../shared/adapters/aws/failing-store.ts'
import { sqsHintChannel, sqsLanes } from '../../shared/adapters/aws/hint-channel.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { dynamoMessageLists } from '../../shared/adapters/aws/message-lists.ts'
import { dynamoOperationStore } from '../../shared/adapters/aws/operation-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import type { ContentStore } from '../../shared/content/content-store.ts'
import type { DisablingPorts } from '../../shared/disabling/disable-failing.ts'
import type { OperationPorts } from '../../shared/operations/run-operation.ts'
import { type LaneChannels, laneHintChannel } from '../../shared/queue/lane-hint-channel.ts'
import type { QueueStore } from '../../shared/queue/queue-store.ts'
import { deliveryQueueUrls, hasOwnS3Endpoint, requiredSetting } from '../../shared/runtime/settings.ts'
import type { WebhookStore } from '../../shared/webhook/webhook-store.ts'

/** What the sweep reaches, as its role allows. */
export interface SweepPorts extends OperationPorts, DisablingPorts {
  readonly queue: QueueStore
  readonly lanes: LaneChannels
  readonly calls: WebhookStore
  readonly content: ContentStore
}

/** Builds them of what the environment names. */
export function sweepPorts(): SweepPorts {
  const table = dynamoTable(requiredSetting('table'), random)
  const options = dynamoOptionsStore(table, clock)
  const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())
  const lanes = sqsLanes(deliveryQueueUrls(), log)
  return {
    options,
    content: awsContentStore({ table, objects, clock }),
    queue: dynamoQueueStore(table, clock),
    messageLists: dynamoMessageLists(table, clock),
    lanes,
    deliveries: laneHintChannel(lanes),
    calls: dynamoWebhookStore(table, clock),
    callLists: dynamoCallLists(table, clock),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    operations: dynamoOperationStore(table, clock),
    failing: dynamoFailingStore(table, clock),
    disabling: dynamoDisablingStore(table, options, clock),
    clock,
    random,
  }
}
