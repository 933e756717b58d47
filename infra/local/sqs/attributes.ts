import { invalidParameter, sqsError } from './input.ts'

/** Attributes of a queue or a message, all values as text, as SQS keeps them. */
export type Attributes = Readonly<Record<string, string>>

/** Where messages go that were received `maxReceiveCount` times and not deleted. */
export interface RedrivePolicy {
  readonly deadLetterTargetArn: string
  readonly maxReceiveCount: number
}

/** The largest message, and the largest batch, in bytes (SQS message quotas). */
export const MAX_MESSAGE_BYTES = 1_048_576

const EVERY_QUEUE: Readonly<Record<string, (value: string) => boolean>> = {
  DelaySeconds: integer(0, 900),
  MaximumMessageSize: integer(1_024, MAX_MESSAGE_BYTES),
  MessageRetentionPeriod: integer(60, 1_209_600),
  ReceiveMessageWaitTimeSeconds: integer(0, 20),
  VisibilityTimeout: integer(0, 43_200),
  KmsDataKeyReusePeriodSeconds: integer(60, 86_400),
  KmsMasterKeyId: () => true,
  SqsManagedSseEnabled: oneOf('true', 'false'),
  Policy: isJsonOrEmpty,
  RedriveAllowPolicy: isJsonOrEmpty,
  RedrivePolicy: () => true,
}

const FIFO_QUEUES: Readonly<Record<string, (value: string) => boolean>> = {
  FifoQueue: oneOf('true'),
  ContentBasedDeduplication: oneOf('true', 'false'),
  DeduplicationScope: oneOf('queue', 'messageGroup'),
  FifoThroughputLimit: oneOf('perQueue', 'perMessageGroupId'),
}

const DEFAULTS: Attributes = {
  DelaySeconds: '0',
  MaximumMessageSize: String(MAX_MESSAGE_BYTES),
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: '30',
}

const FIFO_DEFAULTS: Attributes = {
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue',
  FifoThroughputLimit: 'perQueue',
}

const COMPUTED_ATTRIBUTES: readonly string[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'QueueArn',
]

/** Checks attributes that a caller sets (SQS CreateQueue, SetQueueAttributes) and answers their canonical form. */
export function checkAttributes(given: Attributes, fifo: boolean): Attributes {
  const checked = Object.entries(given).map(([name, value]) => {
    const accepts = Object.hasOwn(EVERY_QUEUE, name) ? EVERY_QUEUE[name] : fifoRule(name, fifo)
    if (accepts === undefined) throw sqsError('InvalidAttributeName', `Unknown Attribute ${name}.`)
    if (!accepts(value)) throw sqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`)
    return [name, name === 'RedrivePolicy' && value !== '' ? canonicalRedrivePolicy(value) : value]
  })
  return Object.fromEntries(checked)
}

/** Whether SQS knows an attribute by this name, set or computed. */
export function isQueueAttribute(name: string): boolean {
  return (
    Object.hasOwn(EVERY_QUEUE, name) ||
    Object.hasOwn(FIFO_QUEUES, name) ||
    COMPUTED_ATTRIBUTES.includes(name) ||
    name === 'All'
  )
}

/** A queue's attributes in force: what was set, over what SQS assumes. */
export function withDefaults(set: Attributes): Attributes {
  const encrypted = { SqsManagedSseEnabled: set.KmsMasterKeyId === undefined ? 'true' : 'false' }
  return { ...DEFAULTS, ...(isFifo(set) ? FIFO_DEFAULTS : {}), ...encrypted, ...set }
}

/** Lays new attributes over old ones; an empty value takes an optional attribute away, as on SQS. */
export function mergeAttributes(old: Attributes, given: Attributes): Attributes {
  return Object.fromEntries(Object.entries({ ...old, ...given }).filter(([, value]) => value !== ''))
}

/** Whether these attributes are a FIFO queue's. */
export function isFifo(attributes: Attributes): boolean {
  return attributes.FifoQueue === 'true'
}

/** A queue's redrive policy, from its canonical attributes. */
export function redrivePolicyOf(attributes: Attributes): RedrivePolicy | undefined {
  return attributes.RedrivePolicy === undefined ? undefined : parseRedrivePolicy(attributes.RedrivePolicy)
}

// One form, so that CreateQueue compares policies and not spellings of them.
function canonicalRedrivePolicy(value: string): string {
  return JSON.stringify(parseRedrivePolicy(value))
}

function parseRedrivePolicy(value: string): RedrivePolicy {
  const refusal = (reason: string) => invalidParameter('RedrivePolicy', value, reason)
  const policy = parseJson(value)
  if (typeof policy !== 'object' || policy === null) {
    throw refusal('Redrive policy is not a valid JSON map.')
  }
  if (!('deadLetterTargetArn' in policy) || typeof policy.deadLetterTargetArn !== 'string') {
    throw refusal('Redrive policy does not contain mandatory attribute: deadLetterTargetArn.')
  }
  const maxReceiveCount = Number('maxReceiveCount' in policy ? policy.maxReceiveCount : 10)
  if (!Number.isInteger(maxReceiveCount) || maxReceiveCount < 1 || maxReceiveCount > 1_000) {
    throw refusal('Invalid value for maxReceiveCount: must be between 1 and 1000.')
  }
  return { deadLetterTargetArn: policy.deadLetterTargetArn, maxReceiveCount }
}

function fifoRule(name: string, fifo: boolean): ((value: string) => boolean) | undefined {
  return fifo && Object.hasOwn(FIFO_QUEUES, name) ? FIFO_QUEUES[name] : undefined
}

function integer(least: number, most: number): (value: string) => boolean {
  return (value) => /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most
}

function oneOf(...values: readonly string[]): (value: string) => boolean {
  return (value) => values.includes(value)
}

function isJsonOrEmpty(value: string): boolean {
  return value === '' || parseJson(value) !== undefined
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
