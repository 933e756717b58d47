import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoFeedbackStore } from '../../shared/adapters/aws/feedback-store.ts'
import { sqsHintChannel } from '../../shared/adapters/aws/hint-channel.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { lazySecret } from '../../shared/adapters/aws/lazy-secret.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { systemClock as clock, wait } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import type { ReceptionPorts } from '../../shared/reception/reception-hooks.ts'
import { hasOwnS3Endpoint, requiredSetting } from '../../shared/runtime/settings.ts'

/** What the listener reaches, as its task's role allows. */
export function receptionPorts(): ReceptionPorts {
  const table = dynamoTable(requiredSetting('table'), random)
  const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())
  return {
    options: dynamoOptionsStore(table, clock),
    directory: dynamoAddressDirectory(table),
    content: awsContentStore({ table, objects, clock }),
    mailboxes: dynamoMailboxStore(table, clock),
    queue: dynamoQueueStore(table, clock),
    feedback: dynamoFeedbackStore(table, clock),
    suppressions: dynamoSuppressionStore(table),
    fromIdSecret: lazySecret(requiredSetting('fromIdSecretArn'), clock),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    clock,
    random,
    wait,
  }
}
