import { messageSigner } from '../../dkim/message-signer.ts'
import type { AttemptPorts } from '../../queue/attempt.ts'
import { laneHintChannel } from '../../queue/lane-hint-channel.ts'
import { deliveryQueueUrls, hasOwnS3Endpoint, requiredSetting } from '../../runtime/settings.ts'
import { awsContentStore } from './content-store.ts'
import { dynamoDkimKeyStore } from './dkim-key-store.ts'
import type { Table } from './dynamo.ts'
import { sqsHintChannel, sqsLanes } from './hint-channel.ts'
import { lazyObjects } from './lazy-objects.ts'
import { dynamoNoticeStore } from './notice-store.ts'
import { dynamoOptionsStore } from './options-store.ts'
import { dynamoQueueStore } from './queue-store.ts'
import { dynamoSuppressionStore } from './suppression-store.ts'

/** What whoever attempts messages reaches, by whatever transport: `allowAttempts` in the infrastructure. */
export function attemptPorts(
  table: Table,
  sealingSecret: () => Promise<string>,
  { clock, random, log }: Pick<AttemptPorts, 'clock' | 'random' | 'log'>,
): Omit<AttemptPorts, 'transport' | 'leaseMs'> {
  const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())
  return {
    options: dynamoOptionsStore(table, clock),
    queue: dynamoQueueStore(table, clock),
    content: awsContentStore({ table, objects, clock }),
    suppressions: dynamoSuppressionStore(table),
    notices: dynamoNoticeStore(table, clock),
    signer: messageSigner({ dkimKeys: dynamoDkimKeyStore(table), sealingSecret, clock }),
    deliveries: laneHintChannel(sqsLanes(deliveryQueueUrls(), log)),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    clock,
    random,
    log,
  }
}
