/** An attribute's value as DynamoDB's JSON protocol has it: `{"S": "text"}`. */
type AttributeValue = Readonly<Record<string, unknown>>

/** An item, or the key of one, in DynamoDB's JSON protocol. */
export type Item = Readonly<Record<string, AttributeValue>>

/** The attributes of those names, as far as the item has them. */
export function pick(item: Item, names: readonly string[]): Item {
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)))
}

/** The order of two values that may be keys, as DynamoDB sorts them; NaN when their types differ. */
export function compareValues(a: AttributeValue, b: AttributeValue): number {
  if (typeOf(a) !== typeOf(b)) return Number.NaN
  return typeOf(a) === 'N' ? Number(a.N) - Number(b.N) : Buffer.compare(bytesOf(a), bytesOf(b))
}

/** DynamoDB's `begins_with` for two values that may be keys. */
export function beginsWith(value: AttributeValue, start: AttributeValue): boolean {
  const prefix = bytesOf(start)
  return typeOf(value) === typeOf(start) && bytesOf(value).subarray(0, prefix.length).equals(prefix)
}

function typeOf(value: AttributeValue): string | undefined {
  return Object.keys(value)[0]
}

function bytesOf(value: AttributeValue): Buffer {
  return 'B' in value ? Buffer.from(String(value.B), 'base64') : Buffer.from(String(value.S))
}
