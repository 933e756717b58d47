import { z } from 'zod'
import { isObject } from '../template/intrinsics.ts'
import { type Condition, readConditions } from './conditions.ts'
import { actionPattern, type Pattern, wildcardPattern, withoutVariable } from './pattern.ts'

/** One statement of a policy, compiled. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  readonly actions: readonly Pattern[]
  readonly resources: readonly Pattern[]
  readonly conditions: readonly Condition[]
  /** The AWS principals of a resource policy: `*`, ARNs, account ids; services are left out, no role is one. */
  readonly principals: readonly string[]
}

/** Where a policy is attached: only resource policies name whom they are about. */
type PolicyKind = 'identity' | 'resource'

/** Reads a resolved policy document; throws on what would be evaluated differently than on AWS, naming `policy`. */
export function readStatements(document: unknown, policy: string, kind: PolicyKind): readonly Statement[] {
  const { Statement } = parsed(documentSchema, document, policy)
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement]
  return statements.map((statement) => readStatement(statement, policy, kind))
}

function readStatement(value: unknown, policy: string, kind: PolicyKind): Statement {
  const unknownName = Object.keys(isObject(value) ? value : {}).find((name) => !elementNames.has(name))
  if (unknownName) throw new Error(`${policy}: ${unknownName} is not supported locally`)
  const statement = parsed(statementSchema, value, policy)
  if ((statement.Principal === undefined) !== (kind === 'identity')) {
    throw new Error(`${policy}: a statement of ${kindTexts[kind]}`)
  }
  return {
    effect: statement.Effect,
    actions: texts(statement.Action).map(actionPattern),
    resources: texts(statement.Resource).map((text) => wildcardPattern(withoutVariable(text, policy))),
    conditions: readConditions(statement.Condition, policy),
    principals: readPrincipals(statement.Principal, policy),
  }
}

const kindTexts = {
  identity: 'an identity policy must not specify a Principal',
  resource: 'a resource policy must specify a Principal',
} as const

const documentSchema = z.object({ Statement: z.unknown() })

const textsSchema = z.union([z.string(), z.array(z.string())])

const statementSchema = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Action: textsSchema,
  Resource: textsSchema,
  Principal: z.unknown().optional(),
  Condition: z.unknown().optional(),
})

const elementNames: ReadonlySet<string> = new Set(['Sid', ...Object.keys(statementSchema.shape)])

function parsed<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  value: unknown,
  policy: string,
): z.infer<z.ZodObject<Shape>> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new Error(`${policy}: ${issue?.path.join('.')}: ${issue?.message}`)
}

function readPrincipals(value: unknown, policy: string): readonly string[] {
  if (value === undefined) return []
  if (value === '*') return ['*']
  const entries = Object.entries(isObject(value) ? value : { [JSON.stringify(value)]: [] })
  return entries.flatMap(([type, names]) => {
    if (type === 'AWS') return texts(textsSchema.parse(names))
    if (type === 'Service') return []
    throw new Error(`${policy}: the principal ${type} is not supported locally`)
  })
}

function texts(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}
