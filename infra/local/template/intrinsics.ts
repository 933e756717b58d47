/** What the names in a template stand for: parameters, pseudo parameters, resources, conditions. */
export interface Scope {
  /** The value of `Ref`; {@link noValue} for `AWS::NoValue`. Throws on an unknown name. */
  reference(name: string): unknown
  /** The value of `Fn::GetAtt`. Throws on an unknown resource or attribute. */
  attribute(logicalId: string, attribute: string): unknown
  condition(name: string): boolean
}

/** `AWS::NoValue`: the property or list item that holds it is left out. */
export const noValue: unique symbol = Symbol('AWS::NoValue')

/** Replaces every intrinsic function in a template value (CloudFormation's "Intrinsic function reference"). */
export function resolveValue(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => resolveValue(item, scope)).filter((item) => item !== noValue)
  }
  if (!isObject(value)) return value
  const call = intrinsicCall(value)
  if (call) return callIntrinsic(call.name, call.argument, scope)
  const resolved = Object.entries(value).map(([key, item]) => [key, resolveValue(item, scope)] as const)
  return Object.fromEntries(resolved.filter(([, item]) => item !== noValue))
}

/** Evaluates a condition of the template: `Fn::Equals`, `Fn::And`, `Fn::Or`, `Fn::Not` and `Condition`. */
export function resolveCondition(value: unknown, scope: Scope): boolean {
  if (!isObject(value)) throw new Error(`not a condition: ${JSON.stringify(value)}`)
  const [name, argument] = Object.entries(value)[0] ?? []
  if (name === 'Condition') return scope.condition(textArgument('Condition', argument))
  const items = listArgument(name ?? 'condition', argument)
  const holds = (item: unknown): boolean => resolveCondition(item, scope)
  if (name === 'Fn::And') return items.every(holds)
  if (name === 'Fn::Or') return items.some(holds)
  if (name === 'Fn::Not') return !items.every(holds)
  if (name === 'Fn::Equals') {
    const [left, right] = items.map((item) => JSON.stringify(resolveValue(item, scope)))
    return left === right
  }
  throw new Error(`the condition function ${name} is not supported locally`)
}

/** True for a JSON object (not null, not a list). */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function intrinsicCall(value: Readonly<Record<string, unknown>>) {
  const [entry, ...others] = Object.entries(value)
  if (!entry || others.length > 0) return undefined
  const [name, argument] = entry
  return name === 'Ref' || name.startsWith('Fn::') ? { name, argument } : undefined
}

function callIntrinsic(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return scope.reference(textArgument(name, argument))
    case 'Fn::GetAtt':
      return getAttribute(argument, scope)
    case 'Fn::Sub':
      return substitute(argument, scope)
    case 'Fn::Join':
      return join(argument, scope)
    case 'Fn::Select':
      return select(argument, scope)
    case 'Fn::Split':
      return split(argument, scope)
    case 'Fn::If':
      return choose(argument, scope)
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => `${scope.reference('AWS::Region')}${zone}`)
    default:
      throw new Error(`the intrinsic function ${name} is not supported locally`)
  }
}

function getAttribute(argument: unknown, scope: Scope): unknown {
  if (typeof argument === 'string') return dottedAttribute(argument, scope)
  const [logicalId, attribute] = listArgument('Fn::GetAtt', argument)
  return scope.attribute(
    textArgument('Fn::GetAtt', logicalId),
    textArgument('Fn::GetAtt', resolveValue(attribute, scope)),
  )
}

function dottedAttribute(name: string, scope: Scope): unknown {
  const dot = name.indexOf('.')
  return scope.attribute(name.slice(0, dot), name.slice(dot + 1))
}

function substitute(argument: unknown, scope: Scope): string {
  const [text, own] = Array.isArray(argument) ? argument : [argument, {}]
  const variables = isObject(own) ? own : {}
  return textArgument('Fn::Sub', text).replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`
    if (Object.hasOwn(variables, name)) return String(resolveValue(variables[name], scope))
    return String(name.includes('.') ? dottedAttribute(name, scope) : scope.reference(name))
  })
}

function join(argument: unknown, scope: Scope): string {
  const [separator, items] = listArgument('Fn::Join', argument)
  return listArgument('Fn::Join', resolveValue(items, scope)).join(textArgument('Fn::Join', separator))
}

function select(argument: unknown, scope: Scope): unknown {
  const [index, items] = listArgument('Fn::Select', argument)
  const list = listArgument('Fn::Select', resolveValue(items, scope))
  const position = Number(resolveValue(index, scope))
  if (!(position in list)) throw new Error(`Fn::Select: no item ${position} in ${JSON.stringify(list)}`)
  return list[position]
}

function split(argument: unknown, scope: Scope): readonly string[] {
  const [separator, text] = listArgument('Fn::Split', argument)
  return textArgument('Fn::Split', resolveValue(text, scope)).split(textArgument('Fn::Split', separator))
}

function choose(argument: unknown, scope: Scope): unknown {
  const [condition, whenTrue, whenFalse] = listArgument('Fn::If', argument)
  return resolveValue(scope.condition(textArgument('Fn::If', condition)) ? whenTrue : whenFalse, scope)
}

function textArgument(name: string, argument: unknown): string {
  if (typeof argument === 'string') return argument
  throw new Error(`${name}: a text is expected, not ${JSON.stringify(argument)}`)
}

function listArgument(name: string, argument: unknown): readonly unknown[] {
  if (Array.isArray(argument)) return argument
  throw new Error(`${name}: a list is expected, not ${JSON.stringify(argument)}`)
}
