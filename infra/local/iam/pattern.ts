/** One value of a policy, compiled. */
export interface Pattern {
  /** As the policy has it. */
  readonly text: string
  matches(value: string): boolean
}

/** Matches the text itself. */
export function exactPattern(text: string): Pattern {
  return { text, matches: (value) => value === text }
}

/** `*` stands for any characters, `?` for one (IAM User Guide, "Using wildcards in resource ARNs"). */
export function wildcardPattern(text: string): Pattern {
  return expressionPattern(text, 'su')
}

/** The name of an action: the case does not matter. */
export function actionPattern(text: string): Pattern {
  return expressionPattern(text, 'siu')
}

/** Six parts, each with wildcards of its own: here `*` does not reach over a colon, except in the last part. */
export function arnPattern(text: string): Pattern {
  const parts = arnParts(text).map(wildcardPattern)
  return {
    text,
    matches: (value) => {
      const values = arnParts(value)
      return values.length === parts.length && parts.every((part, index) => part.matches(values[index] ?? ''))
    },
  }
}

/** The text itself; throws when it holds a policy variable, which would stand for something of the request. */
export function withoutVariable(text: string, policy: string): string {
  if (!/\$\{/.test(text)) return text
  throw new Error(`${policy}: the policy variable in ${text} is not supported locally`)
}

function expressionPattern(text: string, flags: string): Pattern {
  const literal = text.replace(/[.+^${}()|[\]\\/]/g, '\\$&')
  const expression = new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, flags)
  return { text, matches: (value) => expression.test(value) }
}

function arnParts(arn: string): readonly string[] {
  const [all = arn, ...parts] = /^([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):(.*)$/s.exec(arn) ?? []
  return parts.length > 0 ? parts : [all]
}
