/** The value of that name; names come from outside, and must not find what every object inherits (`constructor`). */
export function lookUp<Value>(values: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}
