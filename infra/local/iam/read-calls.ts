import type { SignedRequest } from '../gateway/signed-request.ts'
import type { Call } from './call.ts'
import { readDynamoCalls } from './dynamodb-calls.ts'
import type { Inventory } from './inventory.ts'
import { readS3Calls } from './s3-calls.ts'
import { readSesCalls } from './ses-calls.ts'

/**
 * What a request needs to be allowed (Service Authorization Reference); undefined for an operation that no role may
 * call here, granted or not. Throws `ServiceError` on a request that the service would refuse anyway.
 */
export function readCalls(request: SignedRequest, inventory: Inventory): readonly Call[] | undefined {
  switch (request.service) {
    case 'dynamodb':
      return readDynamoCalls(request, inventory)
    case 's3':
      return readS3Calls(request)
    case 'sqs':
      return readSqsCalls(request, inventory)
    case 'ses':
      return readSesCalls(request, inventory)
    case 'secretsmanager':
      return readSecretCalls(request, inventory)
    default:
      return undefined
  }
}

const queueActions: ReadonlySet<string> = new Set([
  'ChangeMessageVisibility',
  'DeleteMessage',
  'GetQueueAttributes',
  'GetQueueUrl',
  'PurgeQueue',
  'ReceiveMessage',
  'SendMessage',
])

/** SQS has no actions for batches: SendMessageBatch needs SendMessage. */
function readSqsCalls(
  { operation = '', input = {} }: SignedRequest,
  { deployment: { region, accountId } }: Inventory,
): readonly Call[] | undefined {
  const action = operation.replace(/Batch$/, '')
  if (!queueActions.has(action)) return undefined
  const queue = String(input.QueueUrl ?? input.QueueName)
  const name = queue.slice(queue.lastIndexOf('/') + 1)
  return [{ action: `sqs:${action}`, resource: `arn:aws:sqs:${region}:${accountId}:${name}` }]
}

const secretActions: ReadonlySet<string> = new Set(['DescribeSecret', 'GetSecretValue', 'PutSecretValue'])

function readSecretCalls(
  { operation = '', input = {} }: SignedRequest,
  { deployment: { region, accountId }, secrets }: Inventory,
): readonly Call[] | undefined {
  if (!secretActions.has(operation)) return undefined
  const id = String(input.SecretId)
  // The ARN ends in a hyphen and six characters that a caller may leave out.
  const known = secrets.find(({ name, arn }) => [name, arn, arn.slice(0, -7)].includes(id))
  const unknownArn = `arn:aws:secretsmanager:${region}:${accountId}:secret:${id}`
  const resource = known?.arn ?? (id.startsWith('arn:') ? id : unknownArn)
  return [{ action: `secretsmanager:${operation}`, resource }]
}
