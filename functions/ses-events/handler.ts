import middy from '@middy/core'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { requiredSetting } from '../../shared/runtime/settings.ts'

const table = requiredSetting('table')

/** Events of SES in EventBridge's envelope: they are logged, and nothing else yet. */
export const handler = middy<SQSEvent, SQSBatchResponse>().handler(async ({ Records }) => {
  for (const { messageId, body } of Records) {
    log.info('an event of SES', { table, messageId, octets: body.length })
  }
  return { batchItemFailures: [] }
})
