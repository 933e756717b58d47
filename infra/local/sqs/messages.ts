import { createHash, randomUUID } from 'node:crypto'
import { type JsonObject, ServiceError } from '../gateway/json-service.ts'
import { type Attributes, isFifo, MAX_MESSAGE_BYTES, redrivePolicyOf, withDefaults } from './attributes.ts'
import {
  batchEntries,
  invalidParameter,
  missingParameter,
  optionalInteger,
  optionalText,
  requiredText,
  sqsError,
  textList,
} from './input.ts'
import {
  type MessageDraft,
  md5OfAttributes,
  md5OfBody,
  messageBytes,
  readMessage,
  selectAttributes,
} from './message.ts'
import {
  DEDUPLICATION_MS,
  existingQueue,
  expireMessages,
  findByArn,
  queueArn,
  type Sqs,
  writeQueue,
} from './queues.ts'
import type { Queue, StoredMessage } from './store.ts'

const MAX_VISIBILITY_SECONDS = 43_200

/** SQS SendMessage. */
export function sendMessage(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => send(sqs, queue, input))
}

/** SQS SendMessageBatch. */
export function sendMessageBatch(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => {
    const entries = batchEntries(input)
    const batchBytes = entries.reduce((sum, entry) => sum + draftBytes(entry), 0)
    if (batchBytes > MAX_MESSAGE_BYTES) {
      const limit = `Batch requests cannot be longer than ${MAX_MESSAGE_BYTES} bytes.`
      throw sqsError('BatchRequestTooLong', `${limit} You have sent ${batchBytes} bytes.`)
    }
    return eachEntry(entries, (entry) => send(sqs, queue, entry))
  })
}

/** SQS ReceiveMessage: polls up to `WaitTimeSeconds`, woken by whatever may make a message visible. */
export async function receiveMessage(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  const startedAt = sqs.now()
  for (;;) {
    const polled = await sqs.store.commit(() => poll(sqs, input, startedAt))
    for (const queueId of polled.movedTo) sqs.waiters.wake(queueId)
    if (polled.waiting === undefined) {
      return polled.messages.length === 0 ? {} : { Messages: polled.messages }
    }
    await polled.waiting
    if (sqs.isClosed()) return {}
  }
}

/** SQS DeleteMessage. */
export function deleteMessage(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => deleteOne(sqs, queue, input))
}

/** SQS DeleteMessageBatch. */
export function deleteMessageBatch(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) =>
    eachEntry(batchEntries(input), (entry) => deleteOne(sqs, queue, entry)),
  )
}

/** SQS ChangeMessageVisibility. */
export function changeMessageVisibility(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => changeVisibility(sqs, queue, input))
}

/** SQS ChangeMessageVisibilityBatch. */
export function changeMessageVisibilityBatch(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) =>
    eachEntry(batchEntries(input), (entry) => changeVisibility(sqs, queue, entry)),
  )
}

/** SQS PurgeQueue. */
export function purgeQueue(sqs: Sqs, input: JsonObject): Promise<JsonObject> {
  return writeQueue(sqs, input, (queue) => {
    sqs.store.purge(queue)
    return {}
  })
}

function send(sqs: Sqs, queue: Queue, input: JsonObject): JsonObject {
  const now = sqs.now()
  const attributes = withDefaults(queue.attributes)
  const draft = readMessage(input)
  const maxBytes = Number(attributes.MaximumMessageSize)
  if (draft.sizeBytes > maxBytes) {
    const limit = `Message must be shorter than ${maxBytes} bytes.`
    throw sqsError('InvalidParameterValue', `One or more parameters are invalid. Reason: ${limit}`)
  }
  const delaySeconds = optionalInteger(input, 'DelaySeconds', 0, 900)
  const fifo = isFifo(attributes)
  if (fifo && delaySeconds) throw wrongQueueType('DelaySeconds', String(delaySeconds))
  if (!fifo && draft.deduplicationId !== undefined) {
    throw wrongQueueType('MessageDeduplicationId', draft.deduplicationId)
  }
  // A FIFO queue delays whole, never one message: a 0 given there means nothing.
  const delayMs =
    1_000 * (fifo ? Number(attributes.DelaySeconds) : (delaySeconds ?? Number(attributes.DelaySeconds)))
  const message = { ...draft, id: randomUUID(), sentAt: now, visibleAt: now + delayMs }
  const sent = fifo
    ? sendOnce(sqs, queue, message, attributes)
    : { id: message.id, sequence: sqs.store.addMessage(queue, message) }
  const attributesMd5 = md5OfAttributes(draft.attributes)
  return {
    MessageId: sent.id,
    MD5OfMessageBody: md5OfBody(draft.body),
    ...(attributesMd5 === undefined ? {} : { MD5OfMessageAttributes: attributesMd5 }),
    ...(fifo ? { SequenceNumber: sequenceNumber(sent.sequence) } : {}),
  }
}

type FifoMessage = MessageDraft & { readonly id: string; readonly sentAt: number; readonly visibleAt: number }

function sendOnce(sqs: Sqs, queue: Queue, message: FifoMessage, attributes: Attributes) {
  if (message.groupId === undefined) throw missingParameter('MessageGroupId')
  const deduplicationId = message.deduplicationId ?? contentId(message.body, attributes)
  const scope = attributes.DeduplicationScope === 'messageGroup' ? message.groupId : ''
  const before = sqs.store.findSent(queue, scope, deduplicationId, message.sentAt - DEDUPLICATION_MS)
  if (before !== undefined) return before
  const sequence = sqs.store.addMessage(queue, { ...message, deduplicationId })
  const sent = { id: message.id, sequence }
  sqs.store.rememberSent(queue, scope, deduplicationId, sent, message.sentAt)
  return sent
}

function contentId(body: string, attributes: Attributes): string {
  if (attributes.ContentBasedDeduplication !== 'true') {
    const needed =
      'either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
    throw sqsError('InvalidParameterValue', `The queue should ${needed}`)
  }
  return createHash('sha256').update(body).digest('hex')
}

// What an entry weighs even if it will be refused: a batch too long is refused before its entries are looked at.
function draftBytes(entry: JsonObject): number {
  try {
    return readMessage(entry).sizeBytes
  } catch {
    return messageBytes(optionalText(entry, 'MessageBody') ?? '', {})
  }
}

interface Polled {
  readonly messages: readonly JsonObject[]
  /** Dead-letter queues that got a message. */
  readonly movedTo: ReadonlySet<number>
  /** Set while there is nothing to answer yet. */
  readonly waiting: Promise<void> | undefined
}

function poll(sqs: Sqs, input: JsonObject, startedAt: number): Polled {
  const queue = existingQueue(sqs, input)
  const attributes = withDefaults(queue.attributes)
  const now = sqs.now()
  const limit = optionalInteger(input, 'MaxNumberOfMessages', 1, 10) ?? 1
  const waitSeconds =
    optionalInteger(input, 'WaitTimeSeconds', 0, 20) ?? Number(attributes.ReceiveMessageWaitTimeSeconds)
  const visibilitySeconds =
    optionalInteger(input, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS) ??
    Number(attributes.VisibilityTimeout)
  const view = viewOf(sqs, input)
  expireMessages(sqs, queue)
  const { given, movedTo } = take(sqs, queue, limit, now)
  const messages = given.map((message) =>
    view(queue, sqs.store.deliver(message, randomUUID(), now, now + visibilitySeconds * 1_000)),
  )
  const deadline = startedAt + waitSeconds * 1_000
  if (messages.length > 0 || now >= deadline || sqs.isClosed())
    return { messages, movedTo, waiting: undefined }
  // Registered inside the transaction: a send that commits with or after it cannot be missed.
  const wakeAt = Math.min(deadline, sqs.store.nextVisibleAt(queue, now) ?? deadline)
  return { messages, movedTo, waiting: sqs.waiters.wait(queue.id, wakeAt - now) }
}

// Messages received too often go to the dead-letter queue when they would be given out again, as on SQS.
function take(sqs: Sqs, queue: Queue, limit: number, now: number) {
  const movedTo = new Set<number>()
  const redrive = redrivePolicyOf(queue.attributes)
  const target = redrive && findByArn(sqs, redrive.deadLetterTargetArn)
  const isExhausted = (message: StoredMessage) =>
    redrive !== undefined && target !== undefined && message.receives >= redrive.maxReceiveCount
  for (;;) {
    const candidates = isFifo(queue.attributes)
      ? sqs.store.visibleInOrder(queue, now, limit)
      : sqs.store.visible(queue, now, limit)
    for (const message of candidates.filter(isExhausted)) {
      if (target === undefined) break
      // Retention in a standard dead-letter queue counts from the first send, in a FIFO one from the move.
      const sentAt = isFifo(queue.attributes) ? now : message.sentAt
      sqs.store.moveMessage(message, target, queueArn(sqs, queue.name), sentAt, now)
      movedTo.add(target.id)
    }
    const given = candidates.filter((message) => !isExhausted(message))
    if (given.length > 0 || candidates.length === 0) return { given, movedTo }
  }
}

const SYSTEM_ATTRIBUTES: Readonly<Record<string, (message: StoredMessage, sqs: Sqs) => string | undefined>> =
  {
    ApproximateFirstReceiveTimestamp: (message) => String(message.firstReceivedAt),
    ApproximateReceiveCount: (message) => String(message.receives),
    // A known name without a value: the stand-in takes no trace headers.
    AWSTraceHeader: () => undefined,
    DeadLetterQueueSourceArn: (message) => message.sourceArn,
    MessageDeduplicationId: (message) => message.deduplicationId,
    MessageGroupId: (message) => message.groupId,
    SenderId: (_message, sqs) => sqs.accountId,
    SentTimestamp: (message) => String(message.sentAt),
    SequenceNumber: (message) => message.deduplicationId && sequenceNumber(message.sequence),
  }

function viewOf(sqs: Sqs, input: JsonObject): (queue: Queue, message: StoredMessage) => JsonObject {
  const systemNames = [
    ...textList(input, 'AttributeNames'),
    ...textList(input, 'MessageSystemAttributeNames'),
  ]
  const unknown = systemNames.find((name) => name !== 'All' && !Object.hasOwn(SYSTEM_ATTRIBUTES, name))
  if (unknown !== undefined) throw sqsError('InvalidAttributeName', `Unknown Attribute ${unknown}.`)
  const attributeNames = textList(input, 'MessageAttributeNames')
  return (queue, message) => {
    const system = Object.entries(SYSTEM_ATTRIBUTES)
      .filter(([name]) => systemNames.includes('All') || systemNames.includes(name))
      .map(([name, read]) => [name, read(message, sqs)])
      .filter(([, value]) => value !== undefined)
    const attributes = selectAttributes(message.attributes, attributeNames)
    const attributesMd5 = md5OfAttributes(attributes)
    return {
      MessageId: message.id,
      ReceiptHandle: receiptHandle(queue, message),
      MD5OfBody: md5OfBody(message.body),
      Body: message.body,
      ...(system.length === 0 ? {} : { Attributes: Object.fromEntries(system) }),
      ...(attributesMd5 === undefined
        ? {}
        : { MessageAttributes: attributes, MD5OfMessageAttributes: attributesMd5 }),
    }
  }
}

function deleteOne(sqs: Sqs, queue: Queue, input: JsonObject): JsonObject {
  const { handle, message, isLatest } = received(sqs, queue, input)
  if (message === undefined) return {}
  const isHeld = isLatest && message.visibleAt > sqs.now()
  if (isFifo(queue.attributes) && !isHeld) {
    throw invalidParameter('ReceiptHandle', handle, 'The receipt handle has expired.')
  }
  // A standard queue answers well to an older receipt, yet the message may stay: here it always does.
  if (isLatest) sqs.store.deleteMessage(message)
  return {}
}

function changeVisibility(sqs: Sqs, queue: Queue, input: JsonObject): JsonObject {
  const now = sqs.now()
  const { handle, message, isLatest } = received(sqs, queue, input)
  const seconds = optionalInteger(input, 'VisibilityTimeout', 0, MAX_VISIBILITY_SECONDS)
  if (seconds === undefined) throw missingParameter('VisibilityTimeout')
  if (message === undefined || !isLatest) {
    const gone = 'Message does not exist or is not available for visibility timeout change.'
    throw invalidParameter('ReceiptHandle', handle, gone)
  }
  if (message.visibleAt <= now) {
    throw sqsError('MessageNotInflight', 'The message referred to is not in flight.')
  }
  const visibleAt = now + seconds * 1_000
  if (visibleAt > message.receivedAt + MAX_VISIBILITY_SECONDS * 1_000) {
    const limit = `Total VisibilityTimeout for the message is beyond the limit [${MAX_VISIBILITY_SECONDS} seconds].`
    throw invalidParameter('VisibilityTimeout', String(seconds), limit)
  }
  sqs.store.setVisibleAt(message, visibleAt)
  return {}
}

function receiptHandle(queue: Queue, message: StoredMessage): string {
  return Buffer.from(`${queue.id}:${message.sequence}:${message.receipt}`).toString('base64')
}

function received(sqs: Sqs, queue: Queue, input: JsonObject) {
  const handle = requiredText(input, 'ReceiptHandle')
  const [queueId, sequence, receipt] = Buffer.from(handle, 'base64').toString('latin1').split(':')
  if (Number(queueId) !== queue.id || receipt === undefined) {
    throw sqsError('ReceiptHandleIsInvalid', `The input receipt handle "${handle}" is not valid.`, 404)
  }
  const message = sqs.store.findMessage(queue, Number(sequence))
  return { handle, message, isLatest: message?.receipt === receipt }
}

function eachEntry(entries: readonly JsonObject[], run: (entry: JsonObject) => JsonObject): JsonObject {
  const Successful: JsonObject[] = []
  const Failed: JsonObject[] = []
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...run(entry) })
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      const Code = error.code.replace(/^.*#/, '')
      Failed.push({ Id: entry.Id, SenderFault: true, Code, Message: error.message })
    }
  }
  return { ...(Successful.length === 0 ? {} : { Successful }), ...(Failed.length === 0 ? {} : { Failed }) }
}

function wrongQueueType(name: string, value: string): ServiceError {
  return invalidParameter(name, value, 'The request include parameter that is not valid for this queue type')
}

function sequenceNumber(sequence: number): string {
  return String(sequence).padStart(20, '0')
}
