import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoDkimKeyStore } from '../../shared/adapters/aws/dkim-key-store.ts'
import { sqsHintChannel, sqsLanes } from '../../shared/adapters/aws/hint-channel.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { lazySecret } from '../../shared/adapters/aws/lazy-secret.ts'
import { dynamoNoticeStore } from '../../shared/adapters/aws/notice-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoRelayPasswordStore } from '../../shared/adapters/aws/relay-password-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { relayTransport } from '../../shared/adapters/net/relay-transport.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { messageSigner } from '../../shared/dkim/message-signer.ts'
import type { AttemptPorts } from '../../shared/queue/attempt.ts'
import { laneHintChannel } from '../../shared/queue/lane-hint-channel.ts'
import { openedRelayPasswords } from '../../shared/queue/relay-passwords.ts'
import { functionTransports } from '../../shared/queue/transports.ts'
import {
  deliveryQueueUrls,
  hasOwnS3Endpoint,
  numberSetting,
  requiredSetting,
} from '../../shared/runtime/settings.ts'

/** What the deliver function reaches, as its role allows. */
export function deliverPorts(): AttemptPorts {
  const table = dynamoTable(requiredSetting('table'), random)
  const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())
  const sealingSecret = lazySecret(requiredSetting('sealingSecretArn'), clock)
  const passwords = openedRelayPasswords({ relayPasswords: dynamoRelayPasswordStore(table), sealingSecret })
  const lanes = sqsLanes(deliveryQueueUrls(), log)
  return {
    options: dynamoOptionsStore(table, clock),
    queue: dynamoQueueStore(table, clock),
    content: awsContentStore({ table, objects, clock }),
    suppressions: dynamoSuppressionStore(table),
    notices: dynamoNoticeStore(table, clock),
    signer: messageSigner({
      dkimKeys: dynamoDkimKeyStore(table),
      sealingSecret,
      clock,
    }),
    transport: functionTransports({ relay: relayTransport({ passwords }) }),
    deliveries: laneHintChannel(lanes),
    // Where there is no other worker, it says itself what it cannot do.
    ...(lanes.direct && { lane: 'function' }),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    clock,
    random,
    log,
    leaseMs: numberSetting('deliverLeaseSeconds', 120) * 1000,
  }
}
