import { join } from 'node:path'
import { z } from 'zod'
import type { Principals } from '../gateway/principals.ts'
import type { Assembly } from '../template/assembly.ts'
import { nameOf, type Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'
import type { LambdaFunction } from './lambda-environment.ts'

/** What a program of the template needs to reach the local cloud. */
export interface ProgramSurroundings {
  readonly template: NamedTemplate
  readonly assembly: Assembly
  readonly principals: Principals
  readonly endpoint: string
  /** Variables beyond the template, by name of the function or container, or `*` for all. */
  readonly environment: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** Reads an `AWS::Lambda::Function`; throws where AWS would refuse it. */
export function readFunction(resource: Resource, surroundings: ProgramSurroundings): LambdaFunction {
  const { template, assembly } = surroundings
  const { logicalId } = resource
  const properties = template.read(resource, functionSchema)
  const directory = assembly.assets.get(properties.Code.S3Key)
  if (!directory) throw new Error(`${logicalId}: the assembly has no file ${properties.Code.S3Key}`)
  const [module = '', exportName = ''] = properties.Handler.split('.')
  const functionName = template.identities.reference(logicalId)
  const variables = properties.Environment?.Variables ?? {}
  checkVariables(logicalId, variables)
  return {
    logicalId,
    file: join(directory, `${module}.mjs`),
    exportName,
    handler: properties.Handler,
    functionName,
    functionArn: template.identities.attribute(logicalId, 'Arn'),
    timeoutMs: properties.Timeout * 1000,
    memoryMb: properties.MemorySize,
    variables: {
      ...awsVariables(properties.Role, logicalId, surroundings),
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(properties.MemorySize),
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      LAMBDA_TASK_ROOT: directory,
      TZ: ':UTC',
      ...variables,
      ...surroundings.environment['*'],
      ...surroundings.environment[nameOf(logicalId)],
    },
  }
}

/** The variables by which an AWS SDK finds region, endpoint and the credentials of a role. */
export function awsVariables(
  roleArn: string,
  logicalId: string,
  { template, principals, endpoint }: ProgramSurroundings,
): Record<string, string> {
  const role = template.identities.logicalIdOf(roleArn, `${logicalId}'s role`)
  const { accessKeyId, secretAccessKey, sessionToken } = principals.credentialsOf(role)
  const { region } = template.deployment
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken && { AWS_SESSION_TOKEN: sessionToken }),
  }
}

const functionSchema = z.object({
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).optional(),
  Handler: z.string().regex(/^[^./]+\.[^./]+$/, 'only <module>.<export> is supported locally'),
  MemorySize: z.coerce.number().default(128),
  Role: z.string(),
  Timeout: z.coerce.number().default(3),
})

/** Lambda quotas: 4 KB of environment, and names that it sets itself. */
function checkVariables(logicalId: string, variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).find((name) =>
    /^(AWS_LAMBDA_|LAMBDA_|AWS_REGION$|AWS_.*(KEY|TOKEN))/.test(name),
  )
  if (reserved) throw new Error(`${logicalId}: the variable ${reserved} is reserved by Lambda`)
  if (Buffer.byteLength(JSON.stringify(variables)) <= 4096) return
  throw new Error(`${logicalId}: the environment variables exceed Lambda's 4 KB`)
}
