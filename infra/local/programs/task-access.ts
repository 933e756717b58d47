import { z } from 'zod'
import type { Call } from '../iam/call.ts'
import type { Resource } from '../template/resource.ts'
import type { ProgramSurroundings } from './functions.ts'
import { logCalls } from './log-access.ts'
import { findTaskDefinition } from './tasks.ts'

/** What the roles of a task lack, as log lines in AWS's words. */
interface TaskRefusals {
  /** Why it cannot start: its code is not copied, or a log stream is not made. Empty when it can. */
  readonly toStart: readonly string[]
  /** Why the output of the main container is lost; undefined when it is not. */
  readonly toLog: string | undefined
}

/** Asks for what ECS and the init container do before the program runs, with the roles of a service's task. */
export function findTaskRefusals(service: Resource, surroundings: ProgramSurroundings): TaskRefusals {
  const { template, principals } = surroundings
  const definition = findTaskDefinition(service, template)
  const { ContainerDefinitions, TaskRoleArn, ExecutionRoleArn } = template.read(definition, definitionSchema)
  const refusal = (container: Container, roleArn: string, call: Call): readonly string[] => {
    const role = template.identities.logicalIdOf(roleArn, definition.logicalId)
    const text = principals.access()?.refusal(role, call)
    return text === undefined ? [] : [`[${container.Name}] AccessDenied: ${text}`]
  }
  const copies = ContainerDefinitions.flatMap((container) =>
    copyCalls(container).flatMap((call) => refusal(container, TaskRoleArn, call)),
  )
  const logs = ContainerDefinitions.flatMap((container) => {
    const { LogGroup, prefix } = logOf(container)
    if (LogGroup === undefined) return []
    // "Fargate requires task definition to have execution role ARN to support log driver awslogs."
    if (!ExecutionRoleArn)
      throw new Error(`${definition.logicalId}: the log driver awslogs needs an ExecutionRoleArn`)
    const calls = logCalls(template.deployment, LogGroup, `${prefix}/${container.Name}/local`)
    return [
      {
        isMain: container.Essential,
        create: refusal(container, ExecutionRoleArn, calls.createStream),
        put: refusal(container, ExecutionRoleArn, calls.putEvents),
      },
    ]
  })
  return {
    toStart: [...copies, ...logs.flatMap(({ create }) => create)],
    toLog: logs.find(({ isMain }) => isMain)?.put[0],
  }
}

const containerSchema = z.object({
  Command: z.array(z.string()).default([]),
  EntryPoint: z.array(z.string()).default([]),
  Essential: z.boolean().default(true),
  LogConfiguration: z
    .object({ LogDriver: z.string(), Options: z.record(z.string(), z.string()).default({}) })
    .optional(),
  Name: z.string(),
})

const definitionSchema = z.object({
  ContainerDefinitions: z.array(containerSchema),
  ExecutionRoleArn: z.string().optional(),
  TaskRoleArn: z.string(),
})

type Container = z.infer<typeof containerSchema>

/** The objects that `s3 cp s3://<bucket>/<key> <path>` reads. */
function copyCalls({ EntryPoint, Command }: Container): readonly Call[] {
  const words = [...EntryPoint, ...Command].flatMap((word) => word.split(/\s+/))
  return words.flatMap((word) => {
    const object = /^s3:\/\/([^/]+\/.+)$/.exec(word)?.[1]
    return object === undefined ? [] : [{ action: 's3:GetObject', resource: `arn:aws:s3:::${object}` }]
  })
}

function logOf({ LogConfiguration }: Container): {
  readonly LogGroup?: string | undefined
  readonly prefix: string
} {
  const options = LogConfiguration?.LogDriver === 'awslogs' ? LogConfiguration.Options : {}
  return { LogGroup: options['awslogs-group'], prefix: options['awslogs-stream-prefix'] ?? '' }
}
