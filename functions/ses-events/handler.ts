import middy from '@middy/core'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { takeBatch } from '../../shared/adapters/aws/event-batch.ts'
import { readSesEvent } from '../../shared/ses/ses-event.ts'
import { takeSesEvent } from '../../shared/ses/take-ses-event.ts'
import { sesEventPorts } from './ports.ts'

const ports = sesEventPorts()

export const handler = middy<SQSEvent, SQSBatchResponse>().handler(
  takeBatch(async (body) => {
    const event = readSesEvent(body)
    // It would be wrong again the next time.
    if ('problem' in event) return ports.log.warn('an event was dropped', { problem: event.problem })
    await takeSesEvent(ports, event)
  }, ports.log),
)
