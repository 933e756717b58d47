import type { JsonObject, ServiceError } from '../gateway/json-service.ts'
import {
  type Attributes,
  checkAttributes,
  isFifo,
  isQueueAttribute,
  mergeAttributes,
  redrivePolicyOf,
  withDefaults,
} from './attributes.ts'
import {
  invalidParameter,
  optionalInteger,
  optionalText,
  requiredText,
  sqsError,
  textList,
  textMap,
} from './input.ts'
import type { Queue, SqsStore } from './store.ts'
import type { QueueWaiters } from './waiters.ts'

/** What every operation works with. */
export interface Sqs {
  readonly store: SqsStore
  readonly waiters: QueueWaiters
  readonly region: string
  readonly accountId: string
  readonly endpoint: () => string
  readonly now: () => number
  /** True once no poll may wait any more. */
  readonly isClosed: () => boolean
}

/** SQS remembers deduplication ids for five minutes (SQS Developer Guide, "Exactly-once processing"). */
export const DEDUPLICATION_MS = 5 * 60_000

/** SQS CreateQueue: creating a queue again is fine as long as no attribute given differs. */
export function createQueue(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return sqs.store.commit(() => {
    const name = requiredText(input, 'QueueName')
    const given = textMap(input, 'Attributes')
    checkName(name, given)
    const attributes = checkAttributes(given, isFifo(given))
    checkRedriveTarget(sqs, attributes, isFifo(given))
    const queue = sqs.store.findQueue(name)
    if (queue === undefined) {
      sqs.store.createQueue(name, mergeAttributes({}, attributes), textMap(input, 'tags'), sqs.now())
    } else {
      checkSame(queue, attributes)
    }
    return { QueueUrl: queueUrl(sqs, name) }
  })
}

/** SQS GetQueueUrl. */
export function getQueueUrl(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return sqs.store.commit(() => {
    const queue = sqs.store.findQueue(requiredText(input, 'QueueName'))
    if (queue === undefined) throw noSuchQueue()
    return { QueueUrl: queueUrl(sqs, queue.name) }
  })
}

const MAX_LISTED_QUEUES = 1_000

/** SQS ListQueues: pages only where `MaxResults` is given. */
export function listQueues(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return sqs.store.commit(() => {
    const prefix = optionalText(input, 'QueueNamePrefix') ?? ''
    const pageSize = optionalInteger(input, 'MaxResults', 1, MAX_LISTED_QUEUES)
    const limit = pageSize ?? MAX_LISTED_QUEUES
    const after = Buffer.from(optionalText(input, 'NextToken') ?? '', 'base64').toString()
    const names = sqs.store.queueNames(prefix, after, limit + 1)
    const page = names.slice(0, limit)
    const last = page.at(-1)
    const hasMore = pageSize !== undefined && names.length > limit
    return {
      ...(page.length === 0 ? {} : { QueueUrls: page.map((name) => queueUrl(sqs, name)) }),
      ...(hasMore && last !== undefined ? { NextToken: Buffer.from(last).toString('base64') } : {}),
    }
  })
}

/** SQS DeleteQueue: the messages go with it. */
export function deleteQueue(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => {
    sqs.store.deleteQueue(queue)
    return {}
  })
}

/** SQS SetQueueAttributes. */
export function setQueueAttributes(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => {
    const fifo = isFifo(queue.attributes)
    const attributes = checkAttributes(textMap(input, 'Attributes'), fifo)
    checkRedriveTarget(sqs, attributes, fifo)
    sqs.store.setAttributes(queue, mergeAttributes(queue.attributes, attributes), sqs.now())
    return {}
  })
}

/** SQS GetQueueAttributes: what is asked for by name, nothing where no name is given. */
export function getQueueAttributes(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return sqs.store.commit(() => {
    const queue = existingQueue(sqs, input)
    const wanted = textList(input, 'AttributeNames')
    const unknown = wanted.find((name) => !isQueueAttribute(name))
    if (unknown !== undefined) throw sqsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`)
    const all = { ...withDefaults(queue.attributes), ...computedAttributes(sqs, queue) }
    const chosen = Object.entries(all).filter(([name]) => wanted.includes('All') || wanted.includes(name))
    return chosen.length === 0 ? {} : { Attributes: Object.fromEntries(chosen) }
  })
}

/** SQS TagQueue. */
export function tagQueue(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => {
    sqs.store.setTags(queue, { ...queue.tags, ...textMap(input, 'Tags') })
    return {}
  })
}

/** SQS UntagQueue. */
export function untagQueue(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => {
    const gone = textList(input, 'TagKeys')
    const kept = Object.entries(queue.tags).filter(([key]) => !gone.includes(key))
    sqs.store.setTags(queue, Object.fromEntries(kept))
    return {}
  })
}

/** SQS ListQueueTags. */
export function listQueueTags(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return sqs.store.commit(() => {
    const { tags } = existingQueue(sqs, input)
    return Object.keys(tags).length === 0 ? {} : { Tags: tags }
  })
}

/** Runs one durable change on the queue that the request names, then wakes those who wait for messages there. */
export async function writeQueue(
  sqs: Sqs,
  input: JsonObject,
  change: (queue: Queue) => JsonObject,
): Promise<JsonObject> {
  const { queue, output } = await sqs.store.commit(() => {
    const queue = existingQueue(sqs, input)
    return { queue, output: change(queue) }
  })
  sqs.waiters.wake(queue.id)
  return output
}

/** The queue of a `QueueUrl`, by its name alone: host and port may change between starts. */
export function existingQueue(sqs: Sqs, input: JsonObject): Queue {
  const queue = sqs.store.findQueue(requiredText(input, 'QueueUrl').replace(/^.*\//, ''))
  if (queue === undefined) throw noSuchQueue()
  return queue
}

/** The queue of an ARN. */
export function findByArn(sqs: Sqs, arn: string): Queue | undefined {
  const name = arn.replace(/^.*:/, '')
  return arn === queueArn(sqs, name) ? sqs.store.findQueue(name) : undefined
}

/** A queue's ARN. */
export function queueArn(sqs: Sqs, name: string): string {
  return `arn:aws:sqs:${sqs.region}:${sqs.accountId}:${name}`
}

/** Forgets what is past retention; to be called before messages are counted or given out. */
export function expireMessages(sqs: Sqs, queue: Queue): void {
  const retentionMs = Number(withDefaults(queue.attributes).MessageRetentionPeriod) * 1_000
  sqs.store.expire(queue, sqs.now() - retentionMs, sqs.now() - DEDUPLICATION_MS)
}

function queueUrl(sqs: Sqs, name: string): string {
  return `${sqs.endpoint()}/${sqs.accountId}/${name}`
}

function computedAttributes(sqs: Sqs, queue: Queue): Attributes {
  expireMessages(sqs, queue)
  const counts = sqs.store.count(queue, sqs.now())
  return {
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1_000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedAt / 1_000)),
    QueueArn: queueArn(sqs, queue.name),
  }
}

function checkName(name: string, attributes: Attributes): void {
  const allowed = 'alphanumeric characters, hyphens, or underscores'
  if (isFifo(attributes) && !(/^[\w-]+\.fifo$/.test(name) && name.length <= 80)) {
    const rule = `The name of a FIFO queue can only include ${allowed}, must end with .fifo suffix`
    throw sqsError('InvalidParameterValue', `${rule} and be 1 to 80 in length.`)
  }
  if (!isFifo(attributes) && !/^[\w-]{1,80}$/.test(name)) {
    throw sqsError('InvalidParameterValue', `Can only include ${allowed}. 1 to 80 in length`)
  }
}

function checkRedriveTarget(sqs: Sqs, attributes: Attributes, fifo: boolean): void {
  const value = attributes.RedrivePolicy
  const policy = value ? redrivePolicyOf(attributes) : undefined
  if (value === undefined || policy === undefined) return
  const target = findByArn(sqs, policy.deadLetterTargetArn)
  if (target === undefined) {
    throw invalidParameter('RedrivePolicy', value, 'Dead letter target does not exist.')
  }
  if (isFifo(target.attributes) !== fifo) {
    throw invalidParameter(
      'RedrivePolicy',
      value,
      'Dead-letter queue must be same type of queue as the source.',
    )
  }
}

function checkSame(queue: Queue, given: Attributes): void {
  const existing = withDefaults(queue.attributes)
  const different = Object.keys(given).find((name) => given[name] !== (existing[name] ?? ''))
  if (different !== undefined) {
    const conflict = `same name and a different value for attribute ${different}`
    throw sqsError('QueueNameExists', `A queue already exists with the ${conflict}`)
  }
}

function noSuchQueue(): ServiceError {
  return sqsError('QueueDoesNotExist', 'The specified queue does not exist.')
}
