import { Duration, Stack } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { dueIndex, retiredIndex } from '../../shared/runtime/names.ts'
import type { Data } from './data.ts'
import { allow, NodeFunction } from './node-function.ts'
import type { Ses } from './ses.ts'

interface WorkersProps {
  readonly bundles: string
  readonly data: Data
  readonly ses: Ses
  /** Whether there is a sender, which has a queue of its own. */
  readonly hasSender: boolean
}

/** Hints to deliver: those for functions, and those for the sender where there is one. */
export interface DeliveryQueues {
  readonly functions: Queue
  readonly direct?: Queue
}

/** Whoever sends hints gets to know all queues. */
export function deliveryQueueUrls({ functions, direct }: DeliveryQueues) {
  return {
    deliveriesQueueUrl: functions.queueUrl,
    ...(direct && { directQueueUrl: direct.queueUrl }),
  }
}

/** What may be sent to by whoever sends hints. */
export function deliveryQueueArns({ functions, direct }: DeliveryQueues): readonly string[] {
  return [functions.queueArn, ...(direct ? [direct.queueArn] : [])]
}

/**
 * Seconds of one attempt. Each is longer than the one before, so that an attempt is over before its hint is
 * seen again, and a hint seen again finds the lease of an attempt that died still running.
 */
const deliverSeconds = { timeout: 60, visibility: 90, lease: 120 } as const
/** An attempt of the sender ends after 14 minutes; its lease ends soon after its hint is seen again. */
export const directSeconds = { visibility: 870, lease: 900 } as const
const webhookSeconds = { timeout: 90, visibility: 120, lease: 150 } as const
/** Of a batch of events; each is a settlement or nothing. */
const sesEventSeconds = { timeout: 60, visibility: 90 } as const
const maxReceiveCount = 5

/**
 * A hint of a call is dropped when it has waited for five minutes (`LONGEST_HINT_WAIT_MS` in `shared/webhook/`), or by
 * SQS itself if nobody comes to it. Not before a hint that waited for as long, and fails, has become a dead letter:
 * SQS must not forget a message in flight, or the next call to that URL would be made beside it.
 */
const webhookRetentionSeconds = 5 * 60 + (maxReceiveCount + 1) * webhookSeconds.visibility

/** The queues of hints and the functions they wake. */
export class Workers extends Construct {
  readonly deliveries: DeliveryQueues
  readonly webhooks: Queue
  /** What SES says became of messages. */
  readonly sesEvents: Queue

  constructor(scope: Construct, id: string, props: WorkersProps) {
    super(scope, id)
    this.deliveries = {
      functions: createQueue(this, 'Deliveries', deliverSeconds.visibility),
      ...(props.hasSender && { direct: createQueue(this, 'Direct', directSeconds.visibility) }),
    }
    this.webhooks = createFifoQueue(this, 'Webhooks', webhookSeconds.visibility)
    this.sesEvents = createQueue(this, 'SesEvents', sesEventSeconds.visibility)
    this.deliver(props)
    this.webhook(props)
    this.sweep(props)
    this.settleSesEvents(props)
  }

  private deliver({ bundles, data, ses }: WorkersProps): void {
    const { role, lambda } = new NodeFunction(this, 'Deliver', {
      bundles,
      name: 'deliver',
      timeoutSeconds: deliverSeconds.timeout,
      // The largest message lies in memory, and the copy that is written to the socket.
      memoryMb: 1024,
      environment: {
        table: data.table.tableName,
        bucket: data.bucket.bucketName,
        ...deliveryQueueUrls(this.deliveries),
        webhooksQueueUrl: this.webhooks.queueUrl,
        deliverLeaseSeconds: String(deliverSeconds.lease),
        sealingSecretArn: data.sealingSecret.secretArn,
        sesConfigurationSet: ses.configurationSet,
      },
    })
    allowAttempts(role, data)
    // Relays want a login.
    data.allowItems(role, ['GetItem'], ['transportPasswords'])
    allow(role, ['sqs:SendMessage'], [...deliveryQueueArns(this.deliveries), this.webhooks.queueArn])
    ses.allowSending(role)
    // All workers share the rate that it grants.
    data.allowItems(role, ['GetItem', 'UpdateItem'], ['sesRate'])
    consume(this.deliveries.functions, { role, lambda }, 10)
  }

  private webhook({ bundles, data }: WorkersProps): void {
    const { role, lambda } = new NodeFunction(this, 'Webhook', {
      bundles,
      name: 'webhook',
      timeoutSeconds: webhookSeconds.timeout,
      environment: {
        table: data.table.tableName,
        bucket: data.bucket.bucketName,
        webhookLeaseSeconds: String(webhookSeconds.lease),
      },
    })
    data.allowItems(role, ['GetItem'], ['webhookCalls', 'webhookSecrets', 'failingWebhooks', 'content'])
    data.allowItems(role, ['UpdateItem'], ['webhookCalls', 'failingWebhooks'])
    data.allowItems(role, ['DeleteItem'], ['failingWebhooks'])
    data.allowObjects(role, 's3:GetObject', 'hook')
    consume(this.webhooks, { role, lambda }, 1)
  }

  private sweep({ bundles, data }: WorkersProps): void {
    const { role, lambda } = new NodeFunction(this, 'Sweep', {
      bundles,
      name: 'sweep',
      // Less than the period of the rule, so that two runs do not overlap.
      timeoutSeconds: 55,
      environment: {
        table: data.table.tableName,
        bucket: data.bucket.bucketName,
        ...deliveryQueueUrls(this.deliveries),
        webhooksQueueUrl: this.webhooks.queueUrl,
      },
    })
    data.allowItems(role, ['GetItem'], ['options', 'content'])
    data.allowItems(role, ['PutItem'], ['content'])
    allowOperations(role, data)
    data.allowIndex(role, dueIndex, ['operation'])
    // Finished calls are made anew.
    data.allowIndex(role, retiredIndex, ['hook'])
    data.allowItems(role, ['BatchGetItem'], ['operations'])
    data.allowItems(role, ['DeleteItem'], ['messages', 'content'])
    data.allowObjects(role, 's3:DeleteObject', 'queue')
    // A webhook that fails for days is disabled, with a notice in the account's Inbox.
    data.allowItems(role, ['GetItem'], ['failingWebhooks', 'mailboxes'])
    data.allowItems(role, ['PutItem'], ['options', 'mails', 'uids', 'mailboxChanges'])
    data.allowItems(role, ['UpdateItem'], ['options', 'mailboxes'])
    const queues = [...deliveryQueueArns(this.deliveries), this.webhooks.queueArn]
    allow(role, ['sqs:SendMessage', 'sqs:GetQueueAttributes'], queues)
    new Rule(this, 'EveryMinute', {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaTarget(lambda)],
    })
  }

  private settleSesEvents({ bundles, data, ses }: WorkersProps): void {
    const { role, lambda } = new NodeFunction(this, 'SesEventsHandler', {
      bundles,
      name: 'ses-events',
      timeoutSeconds: sesEventSeconds.timeout,
      environment: {
        table: data.table.tableName,
        ...deliveryQueueUrls(this.deliveries),
        webhooksQueueUrl: this.webhooks.queueUrl,
      },
    })
    data.allowItems(role, ['GetItem'], ['options', 'messages', 'webhookCalls', 'recipients'])
    data.allowItems(role, ['BatchGetItem'], ['suppressions', 'recipients'])
    data.allowItems(role, ['UpdateItem'], ['messages', 'webhookCalls', 'recipients'])
    data.allowItems(role, ['PutItem'], ['webhookCalls', 'suppressions'])
    allow(role, ['sqs:SendMessage'], [...deliveryQueueArns(this.deliveries), this.webhooks.queueArn])
    ses.publishTo(this.sesEvents)
    consume(this.sesEvents, { role, lambda }, 10)
  }
}

/** What it takes to attempt messages by whatever transport; see `shared/queue/attempt.ts`. */
export function allowAttempts(role: IRole, data: Data): void {
  data.allowItems(role, ['GetItem'], ['options', 'messages', 'content', 'webhookCalls'])
  // A message that is put on hold keeps its content longer.
  data.allowItems(role, ['UpdateItem'], ['messages', 'recipients', 'content', 'webhookCalls'])
  data.allowItems(role, ['PutItem'], ['webhookCalls', 'suppressions'])
  data.allowItems(role, ['BatchGetItem'], ['suppressions', 'recipients'])
  data.allowObjects(role, 's3:GetObject', 'queue')
  // Notices to senders go into their Inboxes.
  data.allowItems(role, ['GetItem', 'UpdateItem'], ['mailboxes'])
  data.allowItems(role, ['PutItem'], ['mails', 'uids', 'mailboxChanges', 'mailContent'])
  // Mail is signed when it is sent (DKIM).
  data.allowItems(role, ['GetItem'], ['dkimKeys'])
  allow(role, ['secretsmanager:GetSecretValue'], [data.sealingSecret.secretArn])
}

/** What operators do to many rows of either queue; see `shared/operations/`. */
export function allowOperations(role: IRole, data: Data): void {
  data.allowItems(role, ['UpdateItem'], ['operations'])
  data.allowIndex(role, dueIndex, ['mail', 'held-mail', 'hook', 'held-hook'])
  data.allowItems(role, ['BatchGetItem', 'GetItem', 'UpdateItem'], ['messages', 'webhookCalls'])
  // Decisions about Sends lie with their contents; both are kept for as long as a message waits.
  data.allowItems(role, ['BatchGetItem', 'UpdateItem'], ['content'])
  // A message that an operator fails is told of, and counts.
  data.allowItems(role, ['PutItem'], ['webhookCalls'])
  data.allowItems(role, ['UpdateItem'], ['recipients'])
}

const queueDefaults = {
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  retentionPeriod: Duration.days(14),
} as const

function createQueue(scope: Construct, id: string, visibilitySeconds: number): Queue {
  const deadLetters = new Queue(scope, `${id}DeadLetters`, queueDefaults)
  return new Queue(scope, id, {
    ...queueDefaults,
    visibilityTimeout: Duration.seconds(visibilitySeconds),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount },
  })
}

function createFifoQueue(scope: Construct, id: string, visibilitySeconds: number): Queue {
  // Senders name each hint's deduplication id: the body alone would hide a later attempt of the same row.
  const fifo = { ...queueDefaults, fifo: true, contentBasedDeduplication: false }
  const name = `${Stack.of(scope).stackName}-${id.toLowerCase()}`
  const deadLetters = new Queue(scope, `${id}DeadLetters`, {
    ...fifo,
    queueName: `${name}-dead-letters.fifo`,
  })
  return new Queue(scope, id, {
    ...fifo,
    queueName: `${name}.fifo`,
    retentionPeriod: Duration.seconds(webhookRetentionSeconds),
    visibilityTimeout: Duration.seconds(visibilitySeconds),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount },
  })
}

/** An event source with the three permissions its pollers need (Lambda Developer Guide, "Using Lambda with SQS"). */
function consume(
  queue: Queue,
  { role, lambda }: Pick<NodeFunction, 'role' | 'lambda'>,
  batchSize: number,
): void {
  allow(role, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], [queue.queueArn])
  new EventSourceMapping(lambda, 'Hints', {
    target: lambda,
    eventSourceArn: queue.queueArn,
    batchSize,
    reportBatchItemFailures: true,
  })
}
