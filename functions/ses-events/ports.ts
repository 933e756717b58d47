import { sqsHintChannel, sqsLanes } from '../../shared/adapters/aws/hint-channel.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoSesEventStore } from '../../shared/adapters/aws/ses-event-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { laneHintChannel } from '../../shared/queue/lane-hint-channel.ts'
import { deliveryQueueUrls, requiredSetting } from '../../shared/runtime/settings.ts'
import type { SesEventPorts } from '../../shared/ses/take-ses-event.ts'

/** What the function for events of SES reaches, as its role allows. */
export function sesEventPorts(): SesEventPorts {
  const table = dynamoTable(requiredSetting('table'), random)
  return {
    options: dynamoOptionsStore(table, clock),
    queue: dynamoQueueStore(table, clock),
    events: dynamoSesEventStore(table),
    suppressions: dynamoSuppressionStore(table),
    deliveries: laneHintChannel(sqsLanes(deliveryQueueUrls(), log)),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    clock,
    random,
    log,
  }
}
