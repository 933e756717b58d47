import type { SignedRequest } from '../gateway/signed-request.ts'
import type { NamedTemplate } from '../template/template.ts'
import type { Call } from './call.ts'
import { leadingKeysKey } from './conditions.ts'
import { type Caller, type Decision, decide, denialReasons } from './evaluate.ts'
import { readInventory } from './inventory.ts'
import type { Pattern } from './pattern.ts'
import type { Statement } from './policy.ts'
import { readCalls } from './read-calls.ts'
import type { S3Object } from './s3-calls.ts'
import { readPolicies } from './template-policies.ts'

/** One thing that a policy lets a role do. Resource and leading key are as the policy has them, wildcards and all. */
export interface Grant {
  /** The role's logical id. */
  readonly role: string
  readonly action: string
  readonly resource: string
  /** One of the values of a condition on `dynamodb:LeadingKeys`. */
  readonly leadingKey?: string
}

/** What the policies of a template allow. */
export interface Access {
  /** What a request needs; undefined when no role may make it here. Throws `ServiceError` on a malformed one. */
  callsOf(request: SignedRequest): readonly Call[] | undefined
  /** AWS's text when the role may not do it. Undefined when it may; that counts as exercised. */
  refusal(role: string, call: Call): string | undefined
  /** The same, as a mere question. */
  wouldRefuse(role: string, call: Call): string | undefined
  /** AWS's text for an operation that no role may call here. */
  unknownOperation(role: string, operation: string): string
  /** Whether S3 has an object; AWS tells it only to who may list the bucket. */
  objectExists(object: S3Object): Promise<boolean>
  /** Every grant that let a call through, once, with the action that was called. */
  exercised(): readonly Grant[]
  /** Every grant of the roles' own policies, used or not. */
  grants(): readonly Grant[]
}

/**
 * Reads the policies of a template; throws on what would be evaluated differently than on AWS. Not evaluated are the
 * roles that AWS services use by themselves (VPC flow logs, access logs of the API), and who may assume a role.
 */
export function openAccess(
  template: NamedTemplate,
  objectExists: (object: S3Object) => Promise<boolean>,
): Access {
  const policies = readPolicies(template)
  const inventory = readInventory(template)
  const exercised = new Map<string, Grant>()
  const callerOf = (role: string): Caller => ({
    roleLogicalId: role,
    roleArn: template.identities.attribute(role, 'Arn'),
    accountId: template.deployment.accountId,
  })
  const decideFor = (role: string, call: Call): Decision => decide(call, callerOf(role), policies)
  const principalOf = (role: string): string => {
    const { accountId } = template.deployment
    return `User: arn:aws:sts::${accountId}:assumed-role/${template.identities.reference(role)}/local`
  }
  const textOf = (decision: Decision, role: string, call: Call): string | undefined =>
    decision.kind === 'denied' ? `${principalOf(role)} ${denialText(call, decision.because)}` : undefined
  return {
    callsOf: (request) => readCalls(request, inventory),
    refusal: (role, call) => {
      const decision = decideFor(role, call)
      for (const grant of grantsUsed(decision, role, call))
        exercised.set(Object.values(grant).join(' '), grant)
      return textOf(decision, role, call)
    },
    wouldRefuse: (role, call) => textOf(decideFor(role, call), role, call),
    unknownOperation: (role, operation) =>
      `${principalOf(role)} is not authorized to perform: ${operation}: the local cloud lets no role do that`,
    objectExists,
    exercised: () => [...exercised.values()],
    grants: () =>
      [...policies.identity].flatMap(([role, statements]) =>
        statements.flatMap((statement) => grantsOf(statement, role)),
      ),
  }
}

function denialText({ action, resource }: Call, because: keyof typeof denialReasons): string {
  // Two services differ: SQS writes the action in lower case, S3 the ARN in quotes.
  const shownAction = action.startsWith('sqs:') ? action.toLowerCase() : action
  const shownResource = action.startsWith('s3:') ? `"${resource}"` : resource
  const reason = denialReasons[because].replace('%', () => shownAction)
  return `is not authorized to perform: ${shownAction} on resource: ${shownResource} ${reason}`
}

function grantsUsed(decision: Decision, role: string, call: Call): readonly Grant[] {
  if (decision.kind === 'denied') return []
  const { resources, conditions } = decision.by
  const resource = matching(resources, call.resource)
  const keys = conditions.find(({ key }) => key === leadingKeysKey)?.patterns ?? []
  const used = [...new Set((call.leadingKeys ?? []).flatMap((key) => matching(keys, key) ?? []))]
  return withLeadingKeys({ role, action: call.action, resource: resource ?? '' }, used)
}

function matching(patterns: readonly Pattern[], value: string): string | undefined {
  return patterns.find((pattern) => pattern.matches(value))?.text
}

function grantsOf({ effect, actions, resources, conditions }: Statement, role: string): readonly Grant[] {
  if (effect === 'Deny') return []
  const keys = conditions.find(({ key }) => key === leadingKeysKey)?.patterns.map(({ text }) => text) ?? []
  return actions.flatMap((action) =>
    resources.flatMap((resource) =>
      withLeadingKeys({ role, action: action.text, resource: resource.text }, keys),
    ),
  )
}

function withLeadingKeys(grant: Grant, keys: readonly string[]): readonly Grant[] {
  return keys.length === 0 ? [grant] : keys.map((leadingKey) => ({ ...grant, leadingKey }))
}
