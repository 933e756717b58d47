import { setTimeout } from 'node:timers/promises'
import { passwordVerifier } from '../../shared/account/password-verifier.ts'
import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { dynamoCallLists } from '../../shared/adapters/aws/call-lists.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoCredentialStore } from '../../shared/adapters/aws/credential-store.ts'
import { dynamoDkimKeyStore } from '../../shared/adapters/aws/dkim-key-store.ts'
import { dynamoFailingStore } from '../../shared/adapters/aws/failing-store.ts'
import { sqsHintChannel, sqsLanes } from '../../shared/adapters/aws/hint-channel.ts'
import { s3LargeAnswers } from '../../shared/adapters/aws/large-answers.ts'
import { lazyExchange } from '../../shared/adapters/aws/lazy-exchange.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { lazySecret } from '../../shared/adapters/aws/lazy-secret.ts'
import { lazySesIdentities } from '../../shared/adapters/aws/lazy-ses-identities.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoMessageLists } from '../../shared/adapters/aws/message-lists.ts'
import { dynamoOperationStore } from '../../shared/adapters/aws/operation-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoRelayPasswordStore } from '../../shared/adapters/aws/relay-password-store.ts'
import { dynamoReportStore } from '../../shared/adapters/aws/report-store.ts'
import { secretText } from '../../shared/adapters/aws/secret-text.ts'
import { dynamoSigningSecretStore } from '../../shared/adapters/aws/signing-secret-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { dynamoTlsResultsStore } from '../../shared/adapters/aws/tls-results-store.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import type { AdminPorts } from '../../shared/admin/admin-ports.ts'
import { laneHintChannel } from '../../shared/queue/lane-hint-channel.ts'
import { deliveryQueueUrls, hasOwnS3Endpoint, requiredSetting } from '../../shared/runtime/settings.ts'

/** What the admin function reaches, as its role allows. */
export function adminPorts(): AdminPorts {
  const table = dynamoTable(requiredSetting('table'), random)
  const bucket = requiredSetting('bucket')
  const objects = lazyObjects(bucket, hasOwnS3Endpoint())
  const credentials = dynamoCredentialStore(table)
  return {
    options: dynamoOptionsStore(table, clock),
    directory: dynamoAddressDirectory(table),
    credentials,
    passwords: passwordVerifier({ credentials, clock, random }),
    initialPassword: secretText(requiredSetting('adminSecretArn')),
    dkimKeys: dynamoDkimKeyStore(table),
    relayPasswords: dynamoRelayPasswordStore(table),
    sealingSecret: lazySecret(requiredSetting('sealingSecretArn'), clock),
    content: awsContentStore({ table, objects, clock }),
    largeAnswers: s3LargeAnswers({ exchange: lazyExchange(bucket, hasOwnS3Endpoint()), random }),
    queue: dynamoQueueStore(table, clock),
    messageLists: dynamoMessageLists(table, clock),
    deliveries: laneHintChannel(sqsLanes(deliveryQueueUrls(), log)),
    calls: dynamoWebhookStore(table, clock),
    callLists: dynamoCallLists(table, clock),
    failing: dynamoFailingStore(table, clock),
    signingSecrets: dynamoSigningSecretStore(table),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    operations: dynamoOperationStore(table, clock),
    mailboxes: dynamoMailboxStore(table, clock),
    suppressions: dynamoSuppressionStore(table),
    reports: dynamoReportStore(table, clock),
    tlsResults: dynamoTlsResultsStore(table),
    sesIdentities: lazySesIdentities(requiredSetting('sesConfigurationSet')),
    clock,
    random,
    pause: async (ms) => await setTimeout(ms),
    log,
  }
}
