import middy from '@middy/core'
import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { passwordVerifier } from '../../shared/account/password-verifier.ts'
import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoCredentialStore } from '../../shared/adapters/aws/credential-store.ts'
import { sqsHintChannel } from '../../shared/adapters/aws/hint-channel.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { hasOwnS3Endpoint, requiredSetting } from '../../shared/runtime/settings.ts'
import { webapi } from '../../shared/webapi/api.ts'

const table = dynamoTable(requiredSetting('table'), random)
const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())

const app = webapi({
  options: dynamoOptionsStore(table, clock),
  directory: dynamoAddressDirectory(table),
  passwords: passwordVerifier({ credentials: dynamoCredentialStore(table), clock, random }),
  content: awsContentStore({ table, objects, clock }),
  queue: dynamoQueueStore(table),
  deliveries: sqsHintChannel(requiredSetting('deliveriesQueueUrl'), log),
  mailboxes: dynamoMailboxStore(table, clock),
  clock,
  random,
  log,
})

export const handler = middy<LambdaEvent>().handler(handle(app))
