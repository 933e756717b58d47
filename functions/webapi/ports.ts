import { getConnInfo } from 'hono/aws-lambda'
import { passwordVerifier } from '../../shared/account/password-verifier.ts'
import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoCounterStore } from '../../shared/adapters/aws/counter-store.ts'
import { dynamoCredentialStore } from '../../shared/adapters/aws/credential-store.ts'
import { sqsLanes } from '../../shared/adapters/aws/hint-channel.ts'
import { dynamoKeyedSendStore } from '../../shared/adapters/aws/keyed-send-store.ts'
import { dynamoKnownRecipients } from '../../shared/adapters/aws/known-recipients.ts'
import { s3LargeAnswers } from '../../shared/adapters/aws/large-answers.ts'
import { lazyExchange } from '../../shared/adapters/aws/lazy-exchange.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { lazySecret } from '../../shared/adapters/aws/lazy-secret.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { awsUploadStore } from '../../shared/adapters/aws/upload-store.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { loginLimiter } from '../../shared/limits/login-limiter.ts'
import { laneHintChannel } from '../../shared/queue/lane-hint-channel.ts'
import { deliveryQueueUrls, hasOwnS3Endpoint, requiredSetting } from '../../shared/runtime/settings.ts'
import type { WebapiPorts } from '../../shared/webapi/call-context.ts'

/** What the webapi function reaches, as its role allows. */
export function webapiPorts(): WebapiPorts {
  const table = dynamoTable(requiredSetting('table'), random)
  const bucket = requiredSetting('bucket')
  const objects = lazyObjects(bucket, hasOwnS3Endpoint())
  const exchange = lazyExchange(bucket, hasOwnS3Endpoint())
  const counters = dynamoCounterStore(table)
  return {
    options: dynamoOptionsStore(table, clock),
    directory: dynamoAddressDirectory(table),
    passwords: passwordVerifier({ credentials: dynamoCredentialStore(table), clock, random }),
    loginLimiter: loginLimiter({ counters, clock }),
    counters,
    knownRecipients: dynamoKnownRecipients(table, clock),
    clientIp: (context) => getConnInfo(context).remote.address ?? '',
    content: awsContentStore({ table, objects, clock }),
    queue: dynamoQueueStore(table, clock),
    deliveries: laneHintChannel(sqsLanes(deliveryQueueUrls(), log)),
    mailboxes: dynamoMailboxStore(table, clock),
    suppressions: dynamoSuppressionStore(table),
    keyedSends: dynamoKeyedSendStore(table, clock),
    uploads: awsUploadStore({ table, exchange, clock }),
    largeAnswers: s3LargeAnswers({ exchange, random }),
    fromIdSecret: lazySecret(requiredSetting('fromIdSecretArn'), clock),
    clock,
    random,
    log,
  }
}
