import type { Call } from './call.ts'
import { holds, leadingKeysKey, type RequestContext } from './conditions.ts'
import type { Statement } from './policy.ts'
import type { TemplatePolicies } from './template-policies.ts'

/** A role of the template as policies see it. */
export interface Caller {
  readonly roleLogicalId: string
  readonly roleArn: string
  readonly accountId: string
}

/** What the policies say about a call: the statement that allows it, or why it is denied. */
export type Decision =
  | { readonly kind: 'allowed'; readonly by: Statement }
  | { readonly kind: 'denied'; readonly because: keyof typeof denialReasons }

/** How AWS ends its refusal ("Troubleshoot access denied error messages"); `%` stands for the action. */
export const denialReasons = {
  nothingAllows: 'because no identity-based policy allows the % action',
  identityDenies: 'with an explicit deny in an identity-based policy',
  resourceDenies: 'with an explicit deny in a resource-based policy',
} as const

/**
 * Decides as AWS does within one account: an explicit Deny wins, else a policy of the role or of the resource must
 * allow ("Policy evaluation logic").
 */
export function decide(call: Call, caller: Caller, policies: TemplatePolicies): Decision {
  const context = contextOf(call)
  const identity = (policies.identity.get(caller.roleLogicalId) ?? []).filter((statement) =>
    isAbout(statement, call, context),
  )
  const resource = policies.resource
    .filter(({ arn }) => call.resource === arn || call.resource.startsWith(`${arn}/`))
    .flatMap(({ statements }) => statements)
    .filter((statement) => isAbout(statement, call, context) && isFor(statement, caller))
  if (identity.some(({ effect }) => effect === 'Deny')) return { kind: 'denied', because: 'identityDenies' }
  if (resource.some(({ effect }) => effect === 'Deny')) return { kind: 'denied', because: 'resourceDenies' }
  const by = identity[0] ?? resource[0]
  return by ? { kind: 'allowed', by } : { kind: 'denied', because: 'nothingAllows' }
}

/** What this machine sends in the clear counts as TLS: it never leaves the loopback interface. */
function contextOf({ leadingKeys = [] }: Call): RequestContext {
  return { 'aws:securetransport': ['true'], [leadingKeysKey]: leadingKeys }
}

function isAbout(
  { actions, resources, conditions }: Statement,
  call: Call,
  context: RequestContext,
): boolean {
  return (
    actions.some((action) => action.matches(call.action)) &&
    resources.some((resource) => resource.matches(call.resource)) &&
    conditions.every((condition) => holds(condition, context))
  )
}

/** An Allow for the account as a whole only hands the decision to the identity policies; a Deny for it is for all. */
function isFor({ effect, principals }: Statement, { roleArn, accountId }: Caller): boolean {
  const account = [accountId, `arn:aws:iam::${accountId}:root`]
  const names = ['*', roleArn, ...(effect === 'Deny' ? account : [])]
  return principals.some((principal) => names.includes(principal))
}
