import {
  CreateQueueCommand,
  QueueNameExists,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { z } from 'zod'
import { physicalName } from '../template/identities.ts'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'

/** Creates the template's queues, dead-letter queues before those that send to them. */
export async function createQueues(
  resources: readonly Resource[],
  template: NamedTemplate,
  client: SQSClient,
): Promise<void> {
  const queues = resources.map((resource) => describe(resource, template))
  let missing = queues
  while (missing.length > 0) {
    const waits = ({ deadLetterArn }: Queue) => missing.some(({ arn }) => arn === deadLetterArn)
    const ready = missing.filter((queue) => !waits(queue))
    if (ready.length === 0) throw new Error(`the queue ${missing[0]?.name} is its own dead-letter queue`)
    await Promise.all(ready.map((queue) => createQueue(queue, client)))
    missing = missing.filter((queue) => !ready.includes(queue))
  }
}

interface Queue {
  readonly name: string
  readonly url: string
  readonly arn: string
  readonly attributes: Readonly<Record<string, string>>
  readonly deadLetterArn: string | undefined
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).optional()

const queueSchema = z.object({
  ContentBasedDeduplication: scalar,
  DeduplicationScope: scalar,
  DelaySeconds: scalar,
  FifoQueue: scalar,
  FifoThroughputLimit: scalar,
  MaximumMessageSize: scalar,
  MessageRetentionPeriod: scalar,
  ReceiveMessageWaitTimeSeconds: scalar,
  RedriveAllowPolicy: z.record(z.string(), z.unknown()).optional(),
  RedrivePolicy: z.looseObject({ deadLetterTargetArn: z.string() }).optional(),
  SqsManagedSseEnabled: scalar,
  VisibilityTimeout: scalar,
})

function describe(resource: Resource, template: NamedTemplate): Queue {
  const properties = template.read(resource, queueSchema)
  const texts = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)] as const,
    )
  return {
    name: physicalName(resource, template.deployment.stack),
    url: template.identities.reference(resource.logicalId),
    arn: template.identities.attribute(resource.logicalId, 'Arn'),
    attributes: Object.fromEntries(texts.filter(([name, value]) => name !== 'FifoQueue' || value === 'true')),
    deadLetterArn: properties.RedrivePolicy?.deadLetterTargetArn,
  }
}

async function createQueue({ name, url, attributes }: Queue, client: SQSClient): Promise<void> {
  try {
    await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))
  } catch (error) {
    if (!(error instanceof QueueNameExists)) throw error
    // The template changed since the queue was made; whether it is FIFO can never change.
    const { FifoQueue: _, ...changeable } = attributes
    await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: changeable }))
  }
}
