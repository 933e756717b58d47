import { type JsonObject, ServiceError } from '../gateway/json-service.ts'
import type { SignedRequest } from '../gateway/signed-request.ts'
import { isObject } from '../template/intrinsics.ts'
import type { Call } from './call.ts'
import type { Inventory } from './inventory.ts'

/**
 * The permissions of a DynamoDB request; undefined for operations on tables as such, PartiQL, and what is unknown.
 * A transaction needs the actions of its parts, each with its own key ("Using IAM with transactions").
 */
export function readDynamoCalls(
  { operation = '', input = {} }: SignedRequest,
  inventory: Inventory,
): readonly Call[] | undefined {
  const onKeys = (action: string, table: unknown, items: readonly unknown[]): Call => ({
    action: `dynamodb:${action}`,
    resource: tableArn(table, inventory),
    ...leadingKeys(items, partitionKeyOf(table, undefined, inventory)),
  })
  switch (operation) {
    case 'PutItem':
      return [onKeys(operation, input.TableName, [input.Item])]
    case 'GetItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [onKeys(operation, input.TableName, [input.Key])]
    case 'BatchGetItem':
      return Object.entries(objectOf(input.RequestItems)).map(([table, request]) =>
        onKeys(operation, table, listOf(objectOf(request).Keys)),
      )
    case 'BatchWriteItem':
      return Object.entries(objectOf(input.RequestItems)).map(([table, requests]) =>
        onKeys(operation, table, listOf(requests).map(writtenItem)),
      )
    case 'TransactGetItems':
    case 'TransactWriteItems':
      return listOf(input.TransactItems)
        .flatMap((item) => Object.entries(objectOf(item)))
        .map(([part, value]) => {
          const request = objectOf(value)
          return onKeys(transactionAction(part), request.TableName, [request.Item ?? request.Key])
        })
    case 'Query':
    case 'Scan':
    case 'DescribeTable':
    case 'DescribeTimeToLive':
      return [readTableCall(operation, input, inventory)]
    default:
      return undefined
  }
}

function readTableCall(operation: string, input: JsonObject, inventory: Inventory): Call {
  const { TableName, IndexName } = input
  const index = typeof IndexName === 'string' ? `/index/${IndexName}` : ''
  return {
    action: `dynamodb:${operation}`,
    resource: `${tableArn(TableName, inventory)}${index}`,
    ...(operation === 'Query' && {
      leadingKeys: queriedKeys(input, partitionKeyOf(TableName, IndexName, inventory)),
    }),
  }
}

function transactionAction(part: string): string {
  const action = { Get: 'GetItem', Put: 'PutItem', Update: 'UpdateItem', Delete: 'DeleteItem' }[part]
  if (action) return action
  if (part === 'ConditionCheck') return 'ConditionCheckItem'
  throw new ServiceError('ValidationException', `TransactItems can not contain ${part}`)
}

/** TableName may be a name or an ARN. */
function tableNameOf(table: unknown): string {
  return String(table).replace(/^arn:.*:table\//, '')
}

function tableArn(table: unknown, { deployment: { region, accountId } }: Inventory): string {
  return `arn:aws:dynamodb:${region}:${accountId}:table/${tableNameOf(table)}`
}

function partitionKeyOf(table: unknown, index: unknown, { tables }: Inventory): string | undefined {
  const keys = tables.get(tableNameOf(table))
  return index === undefined ? keys?.partitionKey : keys?.indexes.get(String(index))
}

function writtenItem(request: unknown): unknown {
  const { PutRequest, DeleteRequest } = objectOf(request)
  return objectOf(PutRequest).Item ?? objectOf(DeleteRequest).Key
}

function leadingKeys(
  items: readonly unknown[],
  partitionKey: string | undefined,
): { readonly leadingKeys: readonly string[] } {
  const values = items.map((item) => objectOf(item)[partitionKey ?? ''])
  return { leadingKeys: [...new Set(values.filter((value) => value !== undefined).map(keyText))] }
}

/**
 * The partition keys that a KeyConditionExpression asks for. Throws when it names none: DynamoDB would refuse that,
 * and a condition on LeadingKeys would let it pass.
 */
function queriedKeys(input: JsonObject, partitionKey: string | undefined): readonly string[] {
  const names = objectOf(input.ExpressionAttributeNames)
  const values = objectOf(input.ExpressionAttributeValues)
  const equations = String(input.KeyConditionExpression ?? '').matchAll(/(#?\w+)\s*=\s*(:\w+)/g)
  const keys = [...equations].flatMap(([, name = '', value = '']) =>
    (names[name] ?? name) === partitionKey && values[value] !== undefined ? [keyText(values[value])] : [],
  )
  if (keys.length > 0 || partitionKey === undefined) return keys
  throw new ServiceError(
    'ValidationException',
    `Query condition missed key schema element: ${partitionKey}: the local cloud looks for it in a ` +
      'KeyConditionExpression such as "#name = :value"',
  )
}

/** `{"S":"a"}` is a; numbers and binary values are as in the JSON. */
function keyText(value: unknown): string {
  return String(Object.values(objectOf(value))[0])
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
