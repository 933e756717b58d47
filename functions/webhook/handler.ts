import middy from '@middy/core'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoFailingStore } from '../../shared/adapters/aws/failing-store.ts'
import { followHints } from '../../shared/adapters/aws/hint-batch.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { dynamoSigningSecretStore } from '../../shared/adapters/aws/signing-secret-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { webhookSender } from '../../shared/adapters/net/webhook-sender.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import {
  flagSetting,
  hasOwnS3Endpoint,
  numberSetting,
  requiredSetting,
} from '../../shared/runtime/settings.ts'
import { call } from '../../shared/webhook/call.ts'
import { LONGEST_HINT_WAIT_MS } from '../../shared/webhook/webhook-call.ts'

const table = dynamoTable(requiredSetting('table'), random)
const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())

const ports = {
  calls: dynamoWebhookStore(table, clock),
  content: awsContentStore({ table, objects, clock }),
  signingSecrets: dynamoSigningSecretStore(table),
  failing: dynamoFailingStore(table, clock),
  sender: webhookSender({ allowLoopback: flagSetting('webhookAllowLoopback') }),
  clock,
  random,
  log,
  leaseMs: numberSetting('webhookLeaseSeconds', 150) * 1000,
}

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(
  followHints((hint) => call(ports, hint), log, LONGEST_HINT_WAIT_MS),
)
