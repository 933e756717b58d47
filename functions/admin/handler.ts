import middy from '@middy/core'
import { handle, type LambdaEvent } from 'hono/aws-lambda'
import { passwordVerifier } from '../../shared/account/password-verifier.ts'
import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { dynamoCredentialStore } from '../../shared/adapters/aws/credential-store.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { secretText } from '../../shared/adapters/aws/secret-text.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { adminApi } from '../../shared/admin/api.ts'
import { requiredSetting } from '../../shared/runtime/settings.ts'

const table = dynamoTable(requiredSetting('table'), random)
const credentials = dynamoCredentialStore(table)

const app = adminApi({
  options: dynamoOptionsStore(table, clock),
  directory: dynamoAddressDirectory(table),
  credentials,
  passwords: passwordVerifier({ credentials, clock, random }),
  initialPassword: secretText(requiredSetting('adminSecretArn')),
  queue: dynamoQueueStore(table),
  mailboxes: dynamoMailboxStore(table, clock),
  random,
  log,
})

export const handler = middy<LambdaEvent>().handler(handle(app))
