import { z } from 'zod'
import type { NamedTemplate } from '../template/template.ts'
import { holds, readConditions } from './conditions.ts'
import { actionPattern, wildcardPattern } from './pattern.ts'

/** Whether a service may send to a queue for a resource, such as EventBridge for a rule. */
export type MaySend = (queueArn: string, service: string, sourceArn: string) => boolean

/** Reads what the template's `AWS::SQS::QueuePolicy`s say to AWS services; roles are told elsewhere. */
export function readSendPermissions(template: NamedTemplate): MaySend {
  const statements = template.ofType('AWS::SQS::QueuePolicy').flatMap((policy) =>
    template.read(policy, policySchema).PolicyDocument.Statement.map((statement) => ({
      effect: statement.Effect,
      services: servicesOf(statement.Principal),
      actions: [statement.Action].flat().map(actionPattern),
      resources: [statement.Resource].flat().map(wildcardPattern),
      conditions: readConditions(statement.Condition, policy.logicalId),
    })),
  )
  return (queueArn, service, sourceArn) => {
    const context = { 'aws:sourcearn': [sourceArn], 'aws:securetransport': ['true'] }
    const about = statements.filter(
      ({ services, actions, resources, conditions }) =>
        services.some((each) => each === service || each === '*') &&
        actions.some((action) => action.matches('sqs:SendMessage')) &&
        resources.some((resource) => resource.matches(queueArn)) &&
        conditions.every((condition) => holds(condition, context)),
    )
    return about.some(({ effect }) => effect === 'Allow') && about.every(({ effect }) => effect === 'Allow')
  }
}

const textsSchema = z.union([z.string(), z.array(z.string())])

const policySchema = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.object({
        Effect: z.enum(['Allow', 'Deny']),
        Action: textsSchema,
        Resource: textsSchema,
        Principal: z.union([z.literal('*'), z.record(z.string(), textsSchema)]),
        Condition: z.unknown().optional(),
      }),
    ),
  }),
})

function servicesOf(principal: '*' | Readonly<Record<string, string | string[]>>): readonly string[] {
  if (principal === '*' || principal.AWS === '*') return ['*']
  return [principal.Service ?? []].flat()
}
