import { posix } from 'node:path'
import { z } from 'zod'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'
import { awsVariables, type ProgramSurroundings } from './functions.ts'

/** The main container of an `AWS::ECS::Service`, as a command of this machine. */
export interface TaskProgram {
  readonly containerName: string
  /** What follows `node` on the command line. */
  readonly parameters: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly stopTimeoutMs: number
}

/**
 * Reads a service and its task definition; undefined when it wants no task. The code of the task is the staged file
 * that an init container copies from the bootstrap bucket into a volume that the main container mounts too.
 */
export function readTask(service: Resource, surroundings: ProgramSurroundings): TaskProgram | undefined {
  const { template } = surroundings
  if (template.read(service, serviceSchema).DesiredCount === 0) return undefined
  const definition = findTaskDefinition(service, template)
  const { logicalId } = definition
  const { ContainerDefinitions, TaskRoleArn } = template.read(definition, definitionSchema)
  const [main, second] = ContainerDefinitions.filter(({ Essential }) => Essential)
  if (!main || second) throw new Error(`${logicalId}: exactly one essential container is supported locally`)
  const files = ContainerDefinitions.flatMap((container) =>
    copiedFiles(container, surroundings.assembly.assets),
  )
  const [program, ...parameters] = [...main.EntryPoint, ...main.Command]
  if (program !== 'node')
    throw new Error(`${logicalId}: the container ${main.Name} must run node, not ${program}`)
  const staged = parameters.map((parameter) => stagedPath(parameter, main, files))
  if (staged.join() === parameters.join()) {
    throw new Error(`${logicalId}: no init container copies a file of the assembly that ${main.Name} runs`)
  }
  return {
    containerName: main.Name,
    parameters: staged,
    variables: {
      ...awsVariables(TaskRoleArn, logicalId, surroundings),
      ...Object.fromEntries(main.Environment.map(({ Name, Value }) => [Name, Value])),
      ...surroundings.environment['*'],
      ...surroundings.environment[main.Name],
    },
    stopTimeoutMs: main.StopTimeout * 1000,
  }
}

/** The task definition that a service runs. */
export function findTaskDefinition(service: Resource, template: NamedTemplate): Resource {
  const { TaskDefinition } = template.read(service, serviceSchema)
  const logicalId = template.identities.logicalIdOf(TaskDefinition, service.logicalId)
  const definition = template.ofType('AWS::ECS::TaskDefinition').find((each) => each.logicalId === logicalId)
  if (!definition) throw new Error(`${service.logicalId}: ${logicalId} is no task definition`)
  return definition
}

const serviceSchema = z.object({ DesiredCount: z.coerce.number().default(1), TaskDefinition: z.string() })

const containerSchema = z.object({
  Command: z.array(z.string()).default([]),
  EntryPoint: z.array(z.string()).default([]),
  Environment: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
  Essential: z.boolean().default(true),
  MountPoints: z.array(z.object({ ContainerPath: z.string(), SourceVolume: z.string() })).default([]),
  Name: z.string(),
  Secrets: z.undefined('not supported locally').optional(),
  StopTimeout: z.coerce.number().default(30),
})

const definitionSchema = z.object({ ContainerDefinitions: z.array(containerSchema), TaskRoleArn: z.string() })

type Container = z.infer<typeof containerSchema>

/** A file in a volume of the task, and the staged file that it is a copy of. */
interface CopiedFile {
  readonly volume: string
  readonly pathInVolume: string
  readonly staged: string
}

/** Finds `s3 cp s3://<bucket>/<key> <path>` in a container's command. */
function copiedFiles(container: Container, assets: ReadonlyMap<string, string>): readonly CopiedFile[] {
  const words = [...container.EntryPoint, ...container.Command].flatMap((word) => word.split(/\s+/))
  return words.flatMap((word, index) => {
    const key = /^s3:\/\/[^/]+\/(.+)$/.exec(word)?.[1]
    const staged = key && assets.get(key)
    const target = words[index + 1] ?? ''
    if (!key || !staged) return []
    return toVolume(container, target.endsWith('/') ? `${target}${posix.basename(key)}` : target, staged)
  })
}

function toVolume({ MountPoints }: Container, path: string, staged: string): readonly CopiedFile[] {
  return MountPoints.filter(({ ContainerPath }) => path.startsWith(`${ContainerPath}/`)).map(
    ({ ContainerPath, SourceVolume }) => ({
      volume: SourceVolume,
      pathInVolume: path.slice(ContainerPath.length + 1),
      staged,
    }),
  )
}

/** The staged file of a path in the main container; other parameters stay as they are. */
function stagedPath(parameter: string, { MountPoints }: Container, files: readonly CopiedFile[]): string {
  for (const { ContainerPath, SourceVolume } of MountPoints) {
    const file = files.find(
      ({ volume, pathInVolume }) =>
        volume === SourceVolume && posix.join(ContainerPath, pathInVolume) === parameter,
    )
    if (file) return file.staged
  }
  return parameter
}
