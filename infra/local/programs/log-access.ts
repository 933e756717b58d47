import { z } from 'zod'
import type { Call } from '../iam/call.ts'
import type { Deployment } from '../template/resource.ts'
import type { ProgramSurroundings } from './functions.ts'

/** What a role must be allowed so that a program's output gets into its log stream. */
export function logCalls({ region, accountId }: Deployment, group: string, stream: string) {
  const resource = `arn:aws:logs:${region}:${accountId}:log-group:${group}:log-stream:${stream}`
  return {
    createStream: { action: 'logs:CreateLogStream', resource },
    putEvents: { action: 'logs:PutLogEvents', resource },
  } as const satisfies Readonly<Record<string, Call>>
}

/**
 * AWS's text when a function's role may not write the function's log; undefined when it may. On AWS the function
 * runs and its log stays empty, and nothing says why.
 */
export function functionLogRefusal(
  logicalId: string,
  { template, principals }: Pick<ProgramSurroundings, 'template' | 'principals'>,
): string | undefined {
  const resource = template.ofType('AWS::Lambda::Function').find((each) => each.logicalId === logicalId)
  if (!resource) throw new Error(`the template has no function ${logicalId}`)
  const { LoggingConfig, Role } = template.read(resource, loggingSchema)
  const role = template.identities.logicalIdOf(Role, `${logicalId}'s role`)
  const group = LoggingConfig.LogGroup ?? `/aws/lambda/${template.identities.reference(logicalId)}`
  const { createStream, putEvents } = logCalls(template.deployment, group, 'local')
  const access = principals.access()
  return access?.refusal(role, createStream) ?? access?.refusal(role, putEvents)
}

const loggingSchema = z.object({
  LoggingConfig: z.object({ LogGroup: z.string().optional() }).default({}),
  Role: z.string(),
})
