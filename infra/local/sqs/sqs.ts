import type { JsonObject, JsonService } from '../gateway/json-service.ts'
import { sqsError } from './input.ts'
import {
  changeMessageVisibility,
  changeMessageVisibilityBatch,
  deleteMessage,
  deleteMessageBatch,
  purgeQueue,
  receiveMessage,
  sendMessage,
  sendMessageBatch,
} from './messages.ts'
import {
  createQueue,
  deleteQueue,
  getQueueAttributes,
  getQueueUrl,
  listQueues,
  listQueueTags,
  type Sqs,
  setQueueAttributes,
  tagQueue,
  untagQueue,
} from './queues.ts'
import { SqsStore } from './store.ts'
import { QueueWaiters } from './waiters.ts'

const OPERATIONS: ReadonlyMap<string, (sqs: Sqs, input: JsonObject) => Promise<JsonObject>> = new Map([
  ['ChangeMessageVisibility', changeMessageVisibility],
  ['ChangeMessageVisibilityBatch', changeMessageVisibilityBatch],
  ['CreateQueue', createQueue],
  ['DeleteMessage', deleteMessage],
  ['DeleteMessageBatch', deleteMessageBatch],
  ['DeleteQueue', deleteQueue],
  ['GetQueueAttributes', getQueueAttributes],
  ['GetQueueUrl', getQueueUrl],
  ['ListQueueTags', listQueueTags],
  ['ListQueues', listQueues],
  ['PurgeQueue', purgeQueue],
  ['ReceiveMessage', receiveMessage],
  ['SendMessage', sendMessage],
  ['SendMessageBatch', sendMessageBatch],
  ['SetQueueAttributes', setQueueAttributes],
  ['TagQueue', tagQueue],
  ['UntagQueue', untagQueue],
])

/** SQS, whose waiting polls must be told when time was moved. */
interface SqsService extends JsonService {
  /** To be called after `now` was moved: polls look again at what has become visible, and at their end. */
  moved(): void
}

/**
 * SQS on one machine. `directory` keeps `sqs.sqlite`, where every acknowledged change is on disk; `endpoint`
 * answers the base of queue URLs, `now` the time in milliseconds.
 */
export function openSqs(options: {
  readonly directory: string
  readonly region: string
  readonly accountId: string
  readonly endpoint: () => string
  readonly now: () => number
}): SqsService {
  const { directory, ...rest } = options
  const store = new SqsStore(directory)
  const waiters = new QueueWaiters()
  let isClosed = false
  const sqs: Sqs = { ...rest, store, waiters, isClosed: () => isClosed }
  return {
    async call(operation, input) {
      const run = OPERATIONS.get(operation)
      if (run === undefined) throw sqsError('InvalidAction', `The action ${operation} is not valid.`)
      if (isClosed) throw sqsError('ServiceUnavailable', 'The local queue service is stopping.', 503)
      return await run(sqs, input)
    },
    moved: () => waiters.wakeAll(),
    close() {
      if (isClosed) return
      isClosed = true
      waiters.wakeAll()
      store.close()
    },
  }
}
