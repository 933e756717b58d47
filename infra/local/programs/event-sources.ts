import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { SQSRecord } from 'aws-lambda'
import { z } from 'zod'
import type { Credentials, Principals } from '../gateway/principals.ts'
import { isObject } from '../template/intrinsics.ts'
import { nameOf, type Resource } from '../template/resource.ts'
import type { ProgramSurroundings } from './functions.ts'
import { FunctionError } from './lambda-protocol.ts'
import { keepPolling, type WithBatch } from './pollers.ts'
import type { RunningWork } from './running-work.ts'

/** An `AWS::Lambda::EventSourceMapping`: a queue whose messages a function gets in batches. */
export interface EventSource {
  readonly logicalId: string
  readonly functionLogicalId: string
  readonly queueUrl: string
  readonly queueArn: string
  readonly region: string
  readonly batchSize: number
  /** The function names the messages that failed (`ReportBatchItemFailures`). */
  readonly reportsItemFailures: boolean
  /** Batches at a time while none of them takes long. */
  readonly pollers: number
  /** Batches at a time, with those that take long. */
  readonly mostBatches: number
  /** Of the function's role: Lambda polls with it. */
  readonly credentials: Credentials
}

/**
 * Lambda starts with five batches at a time and goes up to 1250, of a FIFO queue up to the number of its message
 * groups (Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings"). Here each holds a
 * thread of some 25 MB, so that 30 are the most: a queue bears 25 receivers that hang before the others wait.
 */
const usualPollers = 5
const usualMostBatches = 30

/** Reads an event source mapping; undefined when it is switched off. Throws on what this reader does not run. */
export function readEventSource(
  resource: Resource,
  { template, principals }: ProgramSurroundings,
): EventSource | undefined {
  const { logicalId } = resource
  const properties = template.read(resource, mappingSchema)
  if (!properties.Enabled) return undefined
  const { identities, deployment } = template
  const queueLogicalId = identities.logicalIdOf(properties.EventSourceArn, logicalId)
  const functionLogicalId = identities.logicalIdOf(properties.FunctionName, logicalId)
  const queue = template.ofType('AWS::SQS::Queue').find((each) => each.logicalId === queueLogicalId)
  const lambda = template.ofType('AWS::Lambda::Function').find((each) => each.logicalId === functionLogicalId)
  if (!queue || !lambda)
    throw new Error(`${logicalId}: only a queue and a function of the template are supported`)
  const { Role, Timeout } = template.read(lambda, lambdaSchema)
  requireVisibility(logicalId, template.read(queue, queueSchema).VisibilityTimeout, Timeout)
  const role = identities.logicalIdOf(Role, functionLogicalId)
  requirePermissions(logicalId, role, properties.EventSourceArn, principals)
  const concurrency = properties.ScalingConfig?.MaximumConcurrency ?? Infinity
  return {
    logicalId,
    functionLogicalId,
    queueUrl: identities.reference(queueLogicalId),
    queueArn: properties.EventSourceArn,
    region: deployment.region,
    batchSize: properties.BatchSize,
    reportsItemFailures: properties.FunctionResponseTypes.includes('ReportBatchItemFailures'),
    credentials: principals.credentialsOf(role),
    pollers: Math.min(usualPollers, concurrency),
    mostBatches: Math.min(usualMostBatches, concurrency),
  }
}

const mappingSchema = z.object({
  BatchSize: z.coerce.number().max(10, 'more than 10 is not supported locally').default(10),
  Enabled: z.boolean().default(true),
  EventSourceArn: z.string(),
  FilterCriteria: z.undefined('not supported locally').optional(),
  FunctionName: z.string(),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: z.coerce.number().optional() }).optional(),
})

const queueSchema = z.object({ VisibilityTimeout: z.coerce.number().default(30) })
const lambdaSchema = z.object({ Role: z.string(), Timeout: z.coerce.number().default(3) })

/** Lambda refuses a mapping whose messages could reappear while the function still works on them. */
function requireVisibility(logicalId: string, visibilitySeconds: number, timeoutSeconds: number): void {
  if (visibilitySeconds >= timeoutSeconds) return
  throw new Error(
    `${logicalId}: Queue visibility timeout: ${visibilitySeconds} seconds is less than ` +
      `Function timeout: ${timeoutSeconds} seconds`,
  )
}

/** Lambda refuses a mapping when the function's role could not poll ("Using Lambda with Amazon SQS"). */
function requirePermissions(logicalId: string, role: string, queueArn: string, principals: Principals): void {
  for (const operation of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
    const refusal = principals.access()?.refusal(role, { action: `sqs:${operation}`, resource: queueArn })
    if (refusal === undefined) continue
    throw new Error(
      `${logicalId}: The function execution role does not have permissions to call ${operation} on SQS (${refusal})`,
    )
  }
}

/** What polling needs. */
export interface PollingOptions {
  readonly source: EventSource
  readonly endpoint: string
  readonly invoke: (functionLogicalId: string, event: unknown, onLong: () => void) => Promise<unknown>
  /** Counts each batch from its receipt to its deletion. */
  readonly work: RunningWork
  readonly onLog: (line: string) => void
}

/** Starts the pollers of an event source; the result stops them. */
export function pollEventSource(options: PollingOptions): { stop(): void } {
  const ending = new AbortController()
  const { source, endpoint } = options
  const { region, credentials } = source
  const client = new SQSClient({ endpoint, region, credentials, useQueueUrlAsEndpoint: false })
  const { signal } = ending
  const turn = (withBatch: WithBatch) => poll(options, client, signal, withBatch)
  keepPolling({ count: source.pollers, most: source.mostBatches, turn, signal })
  return {
    stop: () => {
      ending.abort()
      client.destroy()
    },
  }
}

async function poll(
  options: PollingOptions,
  client: SQSClient,
  signal: AbortSignal,
  withBatch: WithBatch,
): Promise<void> {
  const { source, work, onLog } = options
  try {
    const messages = await receive(source, client, signal)
    if (messages.length === 0 || signal.aborted) return
    await withBatch((onLong) => work.run(() => handleBatch(options, client, messages, onLong)))
  } catch (error) {
    if (signal.aborted) return
    // The runtime has logged what the function did wrong.
    if (!(error instanceof FunctionError)) onLog(`[${nameOf(source.functionLogicalId)}] poller: ${error}`)
    await sleep(1000, undefined, { signal }).catch(() => {})
  }
}

async function receive(
  source: EventSource,
  client: SQSClient,
  signal: AbortSignal,
): Promise<readonly Message[]> {
  const request = new ReceiveMessageCommand({
    QueueUrl: source.queueUrl,
    MaxNumberOfMessages: source.batchSize,
    WaitTimeSeconds: 20,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  })
  const { Messages = [] } = await client.send(request, { abortSignal: signal })
  return Messages
}

async function handleBatch(
  { source, invoke }: PollingOptions,
  client: SQSClient,
  Messages: readonly Message[],
  onLong: () => void,
): Promise<void> {
  const event = { Records: Messages.map((message) => recordOf(message, source)) }
  const result = await invoke(source.functionLogicalId, event, onLong)
  const failed = source.reportsItemFailures ? failedIds(result, Messages) : new Set<string>()
  const Entries = Messages.filter(({ MessageId = '' }) => !failed.has(MessageId)).map((message, index) => ({
    Id: String(index),
    ReceiptHandle: message.ReceiptHandle,
  }))
  // Messages that are not deleted come back when their visibility timeout ends.
  if (Entries.length > 0)
    await client.send(new DeleteMessageBatchCommand({ QueueUrl: source.queueUrl, Entries }))
}

/** Lambda takes an unknown or empty identifier as the failure of the whole batch. */
function failedIds(result: unknown, messages: readonly Message[]): ReadonlySet<string> {
  const failures = isObject(result) ? (result.batchItemFailures ?? []) : []
  const all = new Set(messages.map(({ MessageId = '' }) => MessageId))
  if (!Array.isArray(failures)) return all
  const ids = failures.map((failure) => (isObject(failure) ? String(failure.itemIdentifier) : ''))
  return ids.every((id) => all.has(id)) ? new Set(ids) : all
}

/** The record's form: "Using Lambda with Amazon SQS", example event. */
function recordOf(message: Message, { queueArn, region }: EventSource): SQSRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, attribute]) => {
    const { StringValue, BinaryValue, DataType = 'String' } = attribute
    const value = {
      ...(StringValue !== undefined && { stringValue: StringValue }),
      ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
      stringListValues: [],
      binaryListValues: [],
      dataType: DataType,
    }
    return [name, value] as const
  })
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {
      ApproximateReceiveCount: '',
      SentTimestamp: '',
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '',
      ...message.Attributes,
    },
    messageAttributes: Object.fromEntries(attributes),
    ...(message.MD5OfMessageAttributes && { md5OfMessageAttributes: message.MD5OfMessageAttributes }),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  }
}
