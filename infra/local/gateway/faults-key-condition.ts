import { beginsWith, compareValues, type Item } from './faults-item.ts'
import type { JsonObject } from './json-service.ts'

type Test = (item: Item) => boolean

/**
 * Reads the KeyConditionExpression of a Query that the engine has accepted: comparisons, BETWEEN and begins_with,
 * joined by AND.
 */
export function readKeyCondition(query: JsonObject): Test {
  const names = (query.ExpressionAttributeNames ?? {}) as Readonly<Record<string, string>>
  const values = (query.ExpressionAttributeValues ?? {}) as Item
  // The language is regular: parentheses and commas tell nothing that the order of the words does not.
  const text = String(query.KeyConditionExpression).replace(/[(),]/g, ' ')
  const words: readonly string[] = text.match(/<=|>=|[<>=]|[^\s<>=]+/g) ?? []
  const tests: Test[] = []
  let next = 0
  const word = () => words[next++] ?? ''
  const name = () => nameOf(word(), names)
  const value = () => values[word()] ?? {}
  while (next < words.length) {
    if (words[next]?.toUpperCase() === 'AND') next += 1
    if (words[next] === 'begins_with') {
      next += 1
      tests.push(testOf(name(), 'begins_with', [value()]))
      continue
    }
    const [attribute, operator] = [name(), word().toUpperCase()]
    const low = value()
    // The word between is AND.
    const between = operator === 'BETWEEN' && word() !== ''
    tests.push(testOf(attribute, operator, between ? [low, value()] : [low]))
  }
  return (item) => tests.every((test) => test(item))
}

function nameOf(word: string, names: Readonly<Record<string, string>>): string {
  return names[word] ?? word
}

function testOf(name: string, operator: string, [low = {}, high = {}]: readonly Item[string][]): Test {
  const holds = comparisonOf(operator, low, high)
  return (item) => item[name] !== undefined && holds(item[name])
}

function comparisonOf(
  operator: string,
  low: Item[string],
  high: Item[string],
): (value: Item[string]) => boolean {
  switch (operator) {
    case '=':
      return (value) => compareValues(value, low) === 0
    case '<':
      return (value) => compareValues(value, low) < 0
    case '<=':
      return (value) => compareValues(value, low) <= 0
    case '>':
      return (value) => compareValues(value, low) > 0
    case '>=':
      return (value) => compareValues(value, low) >= 0
    case 'BETWEEN':
      return (value) => compareValues(value, low) >= 0 && compareValues(value, high) <= 0
    case 'begins_with':
      return (value) => beginsWith(value, low)
    default:
      throw new Error(`a key condition with ${operator} cannot be evaluated`)
  }
}
