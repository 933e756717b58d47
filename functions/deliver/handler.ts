import middy from '@middy/core'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { followHints } from '../../shared/adapters/aws/hint-batch.ts'
import { attempt } from '../../shared/queue/attempt.ts'
import { deliverPorts } from './ports.ts'

const ports = deliverPorts()

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(
  followHints((hint) => attempt(ports, hint), ports.log),
)
