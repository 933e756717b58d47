import { z } from 'zod'
import type { Identities } from './identities.ts'
import { isObject, noValue, resolveCondition, resolveValue, type Scope } from './intrinsics.ts'
import type { Deployment, Resource } from './resource.ts'
import { isKnownType } from './resource-types.ts'

/** A CloudFormation template whose conditions are decided: resources that are not created are not in it. */
export interface Template {
  readonly deployment: Deployment
  readonly resources: readonly Resource[]
  readonly outputs: Readonly<Record<string, unknown>>
  /** Replaces intrinsic functions, with these names for the resources. */
  resolve(value: unknown, identities: Identities): unknown
}

/** A template together with the names its resources have here. */
export interface NamedTemplate {
  readonly deployment: Deployment
  readonly identities: Identities
  ofType(type: string): readonly Resource[]
  /** Those properties that `schema` asks for, resolved and checked; an error names resource and property. */
  read<Shape extends z.ZodRawShape>(
    resource: Resource,
    schema: z.ZodObject<Shape>,
  ): z.infer<z.ZodObject<Shape>>
  outputs(): Record<string, string>
}

/**
 * Reads a template as `cdk synth` writes it. Throws on a resource of a type that the local cloud does not know,
 * because what is silently left out here would be tested nowhere before it is deployed.
 */
export function openTemplate(text: string, deployment: Deployment): Template {
  const document = documentSchema.parse(JSON.parse(text))
  const scopeWith = (identities: Identities | undefined): Scope => {
    const scope: Scope = {
      reference: (name) => parameter(name, document, deployment) ?? required(identities).reference(name),
      attribute: (logicalId, attribute) => required(identities).attribute(logicalId, attribute),
      condition: (name) => resolveCondition(document.Conditions[name], scope),
    }
    return scope
  }
  const fixed = scopeWith(undefined)
  const exists = ({ Condition }: { readonly Condition?: string | undefined }) =>
    Condition === undefined || fixed.condition(Condition)
  const resources = Object.entries(document.Resources)
    .filter(([, resource]) => exists(resource))
    .map(([logicalId, { Type, Properties }]) => ({ logicalId, type: Type, properties: Properties }))
  requireKnownTypes(resources)
  const outputs = Object.entries(document.Outputs).filter(([, output]) => exists(output))
  return {
    deployment,
    resources,
    outputs: Object.fromEntries(outputs.map(([name, { Value }]) => [name, Value])),
    resolve: (value, identities) => identities.localized(resolveValue(value, scopeWith(identities))),
  }
}

/** Gives the resources of a template their names. */
export function nameTemplate(template: Template, identities: Identities): NamedTemplate {
  return {
    deployment: template.deployment,
    identities,
    ofType: (type) => template.resources.filter((resource) => resource.type === type),
    read: (resource, schema) => {
      const { logicalId, type, properties } = resource
      const wanted = Object.keys(schema.shape).filter((name) => name in properties)
      // Only what is asked for is resolved: other properties may refer to what does not exist here (subnets).
      const chosen = Object.fromEntries(wanted.map((name) => [name, properties[name]]))
      const values = inContext(`${logicalId} (${type})`, () => template.resolve(chosen, identities))
      const result = schema.safeParse(values)
      if (result.success) return result.data
      const [issue] = result.error.issues
      throw new Error(`${logicalId} (${type}): ${issue?.path.join('.')}: ${issue?.message}`)
    },
    outputs: () => {
      const values = inContext('Outputs', () => template.resolve(template.outputs, identities))
      const entries = Object.entries(isObject(values) ? values : {})
      return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
    },
  }
}

const documentSchema = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.unknown().optional() })).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      Condition: z.string().optional(),
    }),
  ),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Condition: z.string().optional() }))
    .default({}),
})

function requireKnownTypes(resources: readonly Resource[]): void {
  const unknown = resources.find((resource) => !isKnownType(resource.type))
  if (!unknown) return
  throw new Error(
    `The template's resource ${unknown.logicalId} has the type ${unknown.type}, which the local cloud does not ` +
      'know: teach it the type, or list it in resource-types.ts as having nothing to do here.',
  )
}

function parameter(name: string, document: z.infer<typeof documentSchema>, deployment: Deployment): unknown {
  const { stack, region, accountId } = deployment
  const pseudo: Record<string, unknown> = {
    'AWS::AccountId': accountId,
    'AWS::NoValue': noValue,
    'AWS::NotificationARNs': [],
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/${stack}/local`,
    'AWS::StackName': stack,
    'AWS::URLSuffix': 'amazonaws.com',
  }
  if (name in pseudo) return pseudo[name]
  const declared = document.Parameters[name]
  if (declared && declared.Default === undefined) throw new Error(`Parameter ${name} has no Default`)
  return declared?.Default
}

function required(identities: Identities | undefined): Identities {
  if (identities) return identities
  throw new Error('conditions may refer to parameters only')
}

function inContext<T>(context: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new Error(`${context}: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}
