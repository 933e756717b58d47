import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import type { JsonObject } from '../gateway/json-service.ts'
import type { MaySend } from '../iam/queue-permissions.ts'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'

/** An `AWS::Events::Rule` that sends events to queues. */
export interface EventRule {
  readonly ruleArn: string
  /** By field of the event: one of these values must be there. */
  readonly pattern: Readonly<Record<string, readonly string[]>>
  readonly queues: readonly { readonly arn: string; readonly url: string }[]
}

/** Whether a rule waits for events; the others are schedules. */
export function isEventRule({ properties }: Resource): boolean {
  return 'EventPattern' in properties && !('ScheduleExpression' in properties)
}

/** Reads a rule; undefined when it is switched off. Throws on patterns and targets that are not known here. */
export function readEventRule(resource: Resource, template: NamedTemplate): EventRule | undefined {
  const { logicalId } = resource
  const { identities } = template
  const rule = template.read(resource, ruleSchema)
  if (rule.State === 'DISABLED') return undefined
  return {
    ruleArn: identities.attribute(logicalId, 'Arn'),
    pattern: rule.EventPattern,
    queues: rule.Targets.map(({ Arn }) => {
      const queue = identities.logicalIdOf(Arn, logicalId)
      return { arn: Arn, url: identities.attribute(queue, 'QueueUrl') }
    }),
  }
}

/** EventBridge's default bus: hands each event to the queues of all rules that it matches. */
export function openEventBus(options: {
  readonly rules: readonly EventRule[]
  readonly maySend: MaySend
  readonly client: SQSClient
  readonly onLog: (line: string) => void
}): (event: JsonObject) => Promise<void> {
  const { rules, maySend, client, onLog } = options
  return async (event) => {
    const MessageBody = JSON.stringify(event)
    for (const { ruleArn, queues } of rules.filter(({ pattern }) => matches(pattern, event))) {
      for (const { arn, url } of queues) {
        if (maySend(arn, 'events.amazonaws.com', ruleArn)) {
          await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody }))
        } else {
          // EventBridge drops it, and counts it as a failed invocation.
          onLog(`[events] ${ruleArn}: no policy lets the rule send to ${arn}`)
        }
      }
    }
  }
}

/** EventBridge User Guide, "Creating event patterns": of a field that is a list one element must match. */
function matches(pattern: EventRule['pattern'], event: JsonObject): boolean {
  return Object.entries(pattern).every(([field, wanted]) =>
    [event[field]].flat().some((value) => typeof value === 'string' && wanted.includes(value)),
  )
}

const values = z.array(z.string()).optional()

const ruleSchema = z.object({
  // Fields of `detail`, and comparisons, are not known here.
  EventPattern: z
    .strictObject({
      source: values,
      resources: values,
      'detail-type': values,
      account: values,
      region: values,
    })
    .transform((pattern) =>
      Object.fromEntries(Object.entries(pattern).flatMap(([field, list]) => (list ? [[field, list]] : []))),
    ),
  EventBusName: z.literal('default', 'only the default event bus is known locally').optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z
    .array(
      z.object({
        Arn: z.string(),
        Input: z.undefined('not supported locally').optional(),
        InputPath: z.undefined('not supported locally').optional(),
        InputTransformer: z.undefined('not supported locally').optional(),
        SqsParameters: z.undefined('not supported locally').optional(),
      }),
    )
    .default([]),
})
