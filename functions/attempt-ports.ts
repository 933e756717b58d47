import { awsContentStore } from '../shared/adapters/aws/content-store.ts'
import { dynamoDkimKeyStore } from '../shared/adapters/aws/dkim-key-store.ts'
import { sqsHintChannel, sqsLanes } from '../shared/adapters/aws/hint-channel.ts'
import { lazyObjects } from '../shared/adapters/aws/lazy-objects.ts'
import { lazySecret } from '../shared/adapters/aws/lazy-secret.ts'
import { dynamoNoticeStore } from '../shared/adapters/aws/notice-store.ts'
import { dynamoOptionsStore } from '../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../shared/adapters/aws/queue-store.ts'
import { dynamoSuppressionStore } from '../shared/adapters/aws/suppression-store.ts'
import { dynamoTable } from '../shared/adapters/aws/table-client.ts'
import { systemClock as clock } from '../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../shared/adapters/system/log.ts'
import { systemRandom as random } from '../shared/adapters/system/random.ts'
import { messageSigner } from '../shared/dkim/message-signer.ts'
import type { AttemptPorts } from '../shared/queue/attempt.ts'
import { laneHintChannel } from '../shared/queue/lane-hint-channel.ts'
import { deliveryQueueUrls, hasOwnS3Endpoint, requiredSetting } from '../shared/runtime/settings.ts'

/** What whoever attempts messages reaches, by whatever transport: `allowAttempts` in the infrastructure. */
export function attemptPorts(): Omit<AttemptPorts, 'transport' | 'leaseMs'> {
  const table = dynamoTable(requiredSetting('table'), random)
  const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())
  return {
    options: dynamoOptionsStore(table, clock),
    queue: dynamoQueueStore(table, clock),
    content: awsContentStore({ table, objects, clock }),
    suppressions: dynamoSuppressionStore(table),
    notices: dynamoNoticeStore(table, clock),
    signer: messageSigner({
      dkimKeys: dynamoDkimKeyStore(table),
      sealingSecret: lazySecret(requiredSetting('sealingSecretArn'), clock),
      clock,
    }),
    deliveries: laneHintChannel(sqsLanes(deliveryQueueUrls(), log)),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    clock,
    random,
    log,
  }
}
