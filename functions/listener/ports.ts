import { passwordVerifier } from '../../shared/account/password-verifier.ts'
import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { dynamoCertificateStore } from '../../shared/adapters/aws/certificate-store.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoCounterStore } from '../../shared/adapters/aws/counter-store.ts'
import { dynamoCredentialStore } from '../../shared/adapters/aws/credential-store.ts'
import { dynamoFeedbackStore } from '../../shared/adapters/aws/feedback-store.ts'
import { sqsHintChannel, sqsLanes } from '../../shared/adapters/aws/hint-channel.ts'
import { dynamoKnownRecipients } from '../../shared/adapters/aws/known-recipients.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { lazySecret } from '../../shared/adapters/aws/lazy-secret.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoReportStore } from '../../shared/adapters/aws/report-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { dnsConfiguration } from '../../shared/adapters/net/dns-configuration.ts'
import { dnsResolver } from '../../shared/adapters/net/dns-resolver.ts'
import { systemClock as clock, wait } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import type { AuthenticationPorts } from '../../shared/authentication/authenticate.ts'
import { loginLimiter } from '../../shared/limits/login-limiter.ts'
import { laneHintChannel } from '../../shared/queue/lane-hint-channel.ts'
import {
  deliveryQueueUrls,
  dnsSettings,
  flagSetting,
  hasOwnS3Endpoint,
  requiredSetting,
} from '../../shared/runtime/settings.ts'

/** What the listeners reach, as their task's role allows: for reception, submission, logins, the certificate. */
export function listenerPorts() {
  const table = dynamoTable(requiredSetting('table'), random)
  const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())
  const counters = dynamoCounterStore(table)
  const credentials = dynamoCredentialStore(table)
  const sealingSecret = lazySecret(requiredSetting('sealingSecretArn'), clock)
  return {
    options: dynamoOptionsStore(table, clock),
    directory: dynamoAddressDirectory(table),
    content: awsContentStore({ table, objects, clock }),
    mailboxes: dynamoMailboxStore(table, clock),
    queue: dynamoQueueStore(table, clock),
    feedback: dynamoFeedbackStore(table, clock),
    suppressions: dynamoSuppressionStore(table),
    reports: dynamoReportStore(table, clock),
    fromIdSecret: lazySecret(requiredSetting('fromIdSecretArn'), clock),
    deliveries: laneHintChannel(sqsLanes(deliveryQueueUrls(), log)),
    webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
    counters,
    knownRecipients: dynamoKnownRecipients(table, clock),
    credentials,
    passwords: passwordVerifier({ credentials, clock, random }),
    loginLimiter: loginLimiter({ counters, clock }),
    sealingSecret,
    saltSecret: sealingSecret,
    store: dynamoCertificateStore(table),
    clock,
    random,
    wait,
    log,
    ...(!flagSetting('skipSenderChecks') && { senderChecks: senderChecks() }),
  }
}

/** Without the setting that leaves them out, as local mode does: its senders are names that no DNS knows. */
function senderChecks(): AuthenticationPorts {
  const resolver = dnsResolver(dnsConfiguration(dnsSettings()), { clock, random })
  return { resolver, clock, random, log, wait }
}
