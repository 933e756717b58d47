import { z } from 'zod'
import type { Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'
import { readStatements, type Statement } from './policy.ts'

/** A policy that is attached to a resource: it is about that resource and what is inside it. */
interface ResourcePolicy {
  readonly arn: string
  readonly statements: readonly Statement[]
}

/** All policies of a template that are evaluated. */
export interface TemplatePolicies {
  /** The statements of every role, by its logical id. */
  readonly identity: ReadonlyMap<string, readonly Statement[]>
  readonly resource: readonly ResourcePolicy[]
}

/** Reads the policies of a template; throws on one that the local cloud could not evaluate as AWS does. */
export function readPolicies(template: NamedTemplate): TemplatePolicies {
  refuseUnsupported(template)
  const identity = new Map<string, Statement[]>()
  for (const role of template.ofType('AWS::IAM::Role'))
    identity.set(role.logicalId, ownStatements(role, template))
  for (const policy of template.ofType('AWS::IAM::Policy')) {
    const { PolicyDocument, Roles } = template.read(policy, policySchema)
    const statements = readStatements(PolicyDocument, policy.logicalId, 'identity')
    for (const name of Roles) identity.get(roleNamed(name, policy, template))?.push(...statements)
  }
  return { identity, resource: readResourcePolicies(template) }
}

/** AWS-managed policies that a template may name. */
const managedPolicies: Readonly<Record<string, unknown>> = {
  'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole': {
    Statement: {
      Effect: 'Allow',
      Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: '*',
    },
  },
}

const roleSchema = z.object({
  ManagedPolicyArns: z.array(z.string()).default([]),
  PermissionsBoundary: z.undefined('not supported locally').optional(),
  Policies: z.array(z.object({ PolicyName: z.string(), PolicyDocument: z.unknown() })).default([]),
})

const policySchema = z.object({
  PolicyDocument: z.unknown(),
  Groups: z.undefined('not supported locally').optional(),
  Roles: z.array(z.string()).default([]),
  Users: z.undefined('not supported locally').optional(),
})

function ownStatements(role: Resource, template: NamedTemplate): Statement[] {
  const { ManagedPolicyArns, Policies } = template.read(role, roleSchema)
  const inline = Policies.flatMap(({ PolicyName, PolicyDocument }) =>
    readStatements(PolicyDocument, `${role.logicalId}, policy ${PolicyName}`, 'identity'),
  )
  const managed = ManagedPolicyArns.flatMap((arn) => {
    if (Object.hasOwn(managedPolicies, arn)) return readStatements(managedPolicies[arn], arn, 'identity')
    throw new Error(`${role.logicalId}: the local cloud does not know the managed policy ${arn}`)
  })
  return [...inline, ...managed]
}

function roleNamed(name: string, policy: Resource, template: NamedTemplate): string {
  const role = template
    .ofType('AWS::IAM::Role')
    .find(({ logicalId }) => template.identities.reference(logicalId) === name)
  if (!role) throw new Error(`${policy.logicalId}: the template has no role ${name}`)
  return role.logicalId
}

const queuePolicySchema = z.object({ PolicyDocument: z.unknown(), Queues: z.array(z.string()) })
const bucketPolicySchema = z.object({ PolicyDocument: z.unknown(), Bucket: z.string() })
const secretPolicySchema = z.object({ ResourcePolicy: z.unknown(), SecretId: z.string() })

function readResourcePolicies(template: NamedTemplate): readonly ResourcePolicy[] {
  const queues = template.ofType('AWS::SQS::QueuePolicy').flatMap((policy) => {
    const { PolicyDocument, Queues } = template.read(policy, queuePolicySchema)
    const statements = readStatements(PolicyDocument, policy.logicalId, 'resource')
    return Queues.map((url) => {
      const queue = template.identities.logicalIdOf(url, policy.logicalId)
      return { arn: template.identities.attribute(queue, 'Arn'), statements }
    })
  })
  const buckets = template.ofType('AWS::S3::BucketPolicy').map((policy) => {
    const { PolicyDocument, Bucket } = template.read(policy, bucketPolicySchema)
    return {
      arn: `arn:aws:s3:::${Bucket}`,
      statements: readStatements(PolicyDocument, policy.logicalId, 'resource'),
    }
  })
  const secrets = template.ofType('AWS::SecretsManager::ResourcePolicy').map((policy) => {
    const { ResourcePolicy, SecretId } = template.read(policy, secretPolicySchema)
    return { arn: SecretId, statements: readStatements(ResourcePolicy, policy.logicalId, 'resource') }
  })
  return [...queues, ...buckets, ...secrets]
}

/** A policy that was silently left out would make the local cloud stricter or laxer than AWS. */
function refuseUnsupported(template: NamedTemplate): void {
  const [managed] = template.ofType('AWS::IAM::ManagedPolicy')
  if (managed) throw new Error(`${managed.logicalId}: an AWS::IAM::ManagedPolicy is not supported locally`)
  const table = template
    .ofType('AWS::DynamoDB::Table')
    .find(({ properties }) => 'ResourcePolicy' in properties)
  if (table) throw new Error(`${table.logicalId}: the ResourcePolicy of a table is not supported locally`)
}
