import { isObject } from '../template/intrinsics.ts'
import { arnPattern, exactPattern, type Pattern, wildcardPattern, withoutVariable } from './pattern.ts'

/** What is known about a request, by condition key in lower case; a key that AWS would not send is absent. */
export type RequestContext = Readonly<Record<string, readonly string[]>>

/** One key of a statement's Condition block. */
export interface Condition {
  /** In lower case. */
  readonly key: string
  readonly isForAllValues: boolean
  readonly patterns: readonly Pattern[]
}

/** The condition key of the partition keys that a DynamoDB request names. */
export const leadingKeysKey = 'dynamodb:leadingkeys'

/** Reads a Condition block; throws on an operator or a key that is not evaluated here, both named. */
export function readConditions(block: unknown, policy: string): readonly Condition[] {
  if (block === undefined) return []
  if (!isObject(block)) throw new Error(`${policy}: the Condition is no object`)
  return Object.entries(block).flatMap(([operator, keys]) => {
    const [, forAll, name = ''] = /^(ForAllValues:)?(.*)$/s.exec(operator) ?? []
    const compile = Object.hasOwn(operators, name) ? operators[name] : undefined
    if (!compile) throw new Error(`${policy}: the condition operator ${operator} is not supported locally`)
    return Object.entries(isObject(keys) ? keys : {}).map(([writtenKey, value]) => {
      const key = writtenKey.toLowerCase()
      requireKnownKey(policy, writtenKey, forAll !== undefined)
      const values: readonly unknown[] = Array.isArray(value) ? value : [value]
      return {
        key,
        isForAllValues: forAll !== undefined,
        patterns: values.map((each) => compile(withoutVariable(String(each), policy))),
      }
    })
  })
}

/**
 * Whether a condition holds. As on AWS, ForAllValues also holds when the request has no such key: a policy that
 * allows Scan by LeadingKeys allows all of it (IAM User Guide, "Set operators for multivalued context keys").
 */
export function holds({ key, isForAllValues, patterns }: Condition, context: RequestContext): boolean {
  const values = context[key] ?? []
  const isMatched = (value: string): boolean => patterns.some((pattern) => pattern.matches(value))
  return isForAllValues ? values.every(isMatched) : values.some(isMatched)
}

const operators: Readonly<Record<string, (text: string) => Pattern>> = {
  ArnEquals: arnPattern,
  ArnLike: arnPattern,
  Bool: (text) => exactPattern(text.toLowerCase()),
  StringEquals: exactPattern,
  StringLike: wildcardPattern,
}

/** The keys of a service that acts for a resource (`aws:Source…`) are known, but no role's request has them. */
const knownKeys: ReadonlySet<string> = new Set([
  'aws:securetransport',
  'aws:sourceaccount',
  'aws:sourcearn',
  leadingKeysKey,
])

function requireKnownKey(policy: string, key: string, isForAllValues: boolean): void {
  if (!knownKeys.has(key.toLowerCase())) {
    throw new Error(`${policy}: the condition key ${key} is not supported locally`)
  }
  if (key.toLowerCase() !== leadingKeysKey || isForAllValues) return
  throw new Error(`${policy}: ${key} has several values, only a ForAllValues: operator is supported locally`)
}
