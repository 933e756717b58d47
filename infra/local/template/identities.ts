import { createHash } from 'node:crypto'
import type { Deployment, Resource } from './resource.ts'

/** What a resource is called once it exists. */
interface Identity {
  /** The value of `Ref`. */
  readonly ref: string
  /** The values of `Fn::GetAtt`. */
  readonly attributes: Readonly<Record<string, string>>
}

/** The identities of all resources of a template, by logical id. */
export interface Identities {
  /** Throws on a name that is no resource. */
  reference(logicalId: string): string
  /** Throws on an attribute that the local cloud does not give. */
  attribute(logicalId: string, attribute: string): string
  /** The logical id of what `Ref` or an ARN names; an error names `whose` property asked. */
  logicalIdOf(refOrArn: string, whose: string): string
  /** For what gets its ARN only when it is created: a secret. */
  set(logicalId: string, identity: Identity): void
  /** A resolved value in which the addresses that AWS would give to the APIs are those of this machine. */
  localized(value: unknown): unknown
}

/** Where the resources are reached. */
export interface Addresses {
  readonly gateway: string
  readonly api: string
}

/**
 * Gives every resource its name: the explicit one where the template has one, else stack and logical id, so that it
 * is the same at every start.
 */
export function identify(
  resources: readonly Resource[],
  deployment: Deployment,
  addresses: Addresses,
): Identities {
  const byId = new Map<string, Identity>()
  for (const resource of resources) byId.set(resource.logicalId, identityOf(resource, deployment, addresses))
  const apis = resources.filter(({ type }) => type === 'AWS::ApiGatewayV2::Api')
  const origins = apis.map(
    (api) => `https://${physicalName(api, deployment.stack)}.execute-api.${deployment.region}.amazonaws.com`,
  )
  return {
    reference: (logicalId) => found(byId, logicalId).ref,
    attribute: (logicalId, attribute) => {
      const value = found(byId, logicalId).attributes[attribute]
      if (value === undefined) throw new Error(`the local cloud gives no attribute ${logicalId}.${attribute}`)
      return value
    },
    logicalIdOf: (refOrArn, whose) => {
      const match = [...byId].find(
        ([, { ref, attributes }]) => ref === refOrArn || attributes.Arn === refOrArn,
      )
      if (!match) throw new Error(`${whose}: no resource of the template is ${refOrArn}`)
      return match[0]
    },
    set: (logicalId, identity) => void byId.set(logicalId, identity),
    localized: (value) => {
      const replaced = origins.reduce(
        (text, origin) => text.replaceAll(origin, addresses.api),
        JSON.stringify(value),
      )
      return JSON.parse(replaced)
    },
  }
}

/** The name a resource gets: the explicit one, else made of stack and logical id within the type's length. */
export function physicalName(resource: Resource, stack: string): string {
  const rule = namingRules[resource.type]
  const explicit = rule ? resource.properties[rule.property] : undefined
  if (typeof explicit === 'string') return explicit
  if (explicit !== undefined) {
    throw new Error(`${resource.logicalId}: the local cloud wants a plain text as ${rule?.property}`)
  }
  const suffix = isFifo(resource) ? '.fifo' : ''
  const name = shortened(`${stack}-${resource.logicalId}`, (rule?.longest ?? 64) - suffix.length) + suffix
  return resource.type === 'AWS::S3::Bucket' ? name.toLowerCase() : name
}

interface NamingRule {
  readonly property: string
  readonly longest: number
}

const namingRules: Readonly<Record<string, NamingRule>> = {
  'AWS::DynamoDB::Table': { property: 'TableName', longest: 255 },
  'AWS::ECS::TaskDefinition': { property: 'Family', longest: 255 },
  'AWS::Events::Rule': { property: 'Name', longest: 64 },
  'AWS::IAM::Role': { property: 'RoleName', longest: 64 },
  'AWS::Lambda::Function': { property: 'FunctionName', longest: 64 },
  'AWS::Logs::LogGroup': { property: 'LogGroupName', longest: 512 },
  'AWS::S3::Bucket': { property: 'BucketName', longest: 63 },
  'AWS::SES::ConfigurationSet': { property: 'Name', longest: 64 },
  'AWS::SES::ConfigurationSetEventDestination': { property: 'Name', longest: 64 },
  'AWS::SQS::Queue': { property: 'QueueName', longest: 80 },
  'AWS::SecretsManager::Secret': { property: 'Name', longest: 512 },
}

function identityOf(resource: Resource, deployment: Deployment, addresses: Addresses): Identity {
  const { region, accountId, stack } = deployment
  const name = physicalName(resource, stack)
  const arn = (service: string, path: string) => `arn:aws:${service}:${region}:${accountId}:${path}`
  const named = (Arn: string): Identity => ({ ref: name, attributes: { Arn } })
  switch (resource.type) {
    case 'AWS::ApiGatewayV2::Api':
      return { ref: name, attributes: { ApiEndpoint: addresses.api, ApiId: name } }
    case 'AWS::ApiGatewayV2::Stage':
      return { ref: String(resource.properties.StageName), attributes: {} }
    case 'AWS::DynamoDB::Table':
      return named(arn('dynamodb', `table/${name}`))
    case 'AWS::ECS::Cluster':
      return named(arn('ecs', `cluster/${name}`))
    case 'AWS::ECS::TaskDefinition':
      return { ref: arn('ecs', `task-definition/${name}:1`), attributes: {} }
    case 'AWS::Events::Rule':
      return named(arn('events', `rule/${name}`))
    case 'AWS::IAM::Role':
      return named(`arn:aws:iam::${accountId}:role/${name}`)
    case 'AWS::Lambda::Function':
      return named(arn('lambda', `function:${name}`))
    case 'AWS::Logs::LogGroup':
      return named(arn('logs', `log-group:${name}:*`))
    case 'AWS::S3::Bucket':
      return named(`arn:aws:s3:::${name}`)
    case 'AWS::SQS::Queue': {
      const url = `${addresses.gateway}/${accountId}/${name}`
      return { ref: url, attributes: { Arn: arn('sqs', name), QueueName: name, QueueUrl: url } }
    }
    default:
      return { ref: name, attributes: {} }
  }
}

function found(byId: ReadonlyMap<string, Identity>, logicalId: string): Identity {
  const identity = byId.get(logicalId)
  if (!identity) throw new Error(`the template has no resource or parameter ${logicalId}`)
  return identity
}

function isFifo({ type, properties }: Resource): boolean {
  return type === 'AWS::SQS::Queue' && String(properties.FifoQueue) === 'true'
}

function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${name.slice(0, longest - 9)}-${digest}`
}
