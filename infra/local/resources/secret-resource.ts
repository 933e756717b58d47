import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { z } from 'zod'
import { physicalName } from '../template/identities.ts'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'

/** Creates an `AWS::SecretsManager::Secret`; one from an earlier start keeps its value, as over a stack update. */
export async function createSecret(
  resource: Resource,
  template: NamedTemplate,
  client: SecretsManagerClient,
): Promise<void> {
  const name = physicalName(resource, template.deployment.stack)
  const properties = template.read(resource, secretSchema)
  const arn = (await findArn(client, name)) ?? (await create(client, name, properties))
  template.identities.set(resource.logicalId, { ref: arn, attributes: { Id: arn } })
}

const flag = z.boolean().optional()

const secretSchema = z.object({
  SecretString: z.string().optional(),
  GenerateSecretString: z
    .object({
      ExcludeCharacters: z.string().optional(),
      ExcludeLowercase: flag,
      ExcludeNumbers: flag,
      ExcludePunctuation: flag,
      ExcludeUppercase: flag,
      GenerateStringKey: z.string().optional(),
      IncludeSpace: flag,
      PasswordLength: z.coerce.number().optional(),
      RequireEachIncludedType: flag,
      SecretStringTemplate: z.string().optional(),
    })
    .optional(),
})

type SecretProperties = z.infer<typeof secretSchema>

async function findArn(client: SecretsManagerClient, name: string): Promise<string | undefined> {
  try {
    return (await client.send(new DescribeSecretCommand({ SecretId: name }))).ARN
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined
    throw error
  }
}

async function create(
  client: SecretsManagerClient,
  name: string,
  properties: SecretProperties,
): Promise<string> {
  const SecretString =
    properties.SecretString ?? (await generate(client, properties.GenerateSecretString ?? {}))
  const { ARN } = await client.send(new CreateSecretCommand({ Name: name, SecretString }))
  if (!ARN) throw new Error(`CreateSecret ${name}: no ARN in the answer`)
  return ARN
}

async function generate(
  client: SecretsManagerClient,
  rule: NonNullable<SecretProperties['GenerateSecretString']>,
): Promise<string> {
  const { GenerateStringKey, SecretStringTemplate, ...wanted } = rule
  const { RandomPassword = '' } = await client.send(new GetRandomPasswordCommand(wanted))
  if (!GenerateStringKey) return RandomPassword
  return JSON.stringify({ ...JSON.parse(SecretStringTemplate ?? '{}'), [GenerateStringKey]: RandomPassword })
}
