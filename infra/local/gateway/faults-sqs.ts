import type { Ask, JsonAnswer } from './ask-backend.ts'
import type { FaultOptions } from './faults-options.ts'
import { seededChance, seededDraws } from './faults-random.ts'
import type { JsonObject } from './json-service.ts'

const MAX_DELAY_SECONDS = 900

/** Sends to standard queues, late and twice; a FIFO queue keeps what it promises. */
export function sqsFaults({ seed, sqsDuplicates = 0, sqsLateMs = 0 }: FaultOptions) {
  const isDoubled = seededChance(seed, 'sqsDuplicates', sqsDuplicates)
  const lateDraw = seededDraws(seed, 'sqsLateMs')
  const lateness = () => Math.floor(lateDraw() * (Math.floor(sqsLateMs / 1000) + 1))

  return async (operation: string, input: JsonObject, ask: Ask): Promise<JsonAnswer> => {
    if (String(input.QueueUrl).endsWith('.fifo')) return await ask(operation, input)
    const queueDelaySeconds = await readQueueDelay(input, ask)
    const delayed = (message: JsonObject, bySeconds: number): JsonObject => {
      const delaySeconds = Number(message.DelaySeconds ?? queueDelaySeconds)
      // Left alone: no delay to add, or a value that SQS is to refuse.
      if (bySeconds === 0 || !(delaySeconds < MAX_DELAY_SECONDS)) return message
      return { ...message, DelaySeconds: Math.min(MAX_DELAY_SECONDS, delaySeconds + bySeconds) }
    }
    if (operation === 'SendMessage') {
      const message = delayed(input, lateness())
      const answer = await ask(operation, message)
      if (answer.status === 200 && isDoubled()) await ask(operation, delayed(message, 1))
      return answer
    }
    const Entries = listOf(input.Entries).map((entry) => delayed(entry, lateness()))
    const answer = await ask(operation, { ...input, Entries })
    const sent = new Set(listOf(answer.body.Successful).map(({ Id }) => Id))
    const copies = Entries.filter(({ Id }) => sent.has(Id) && isDoubled()).map((entry) => delayed(entry, 1))
    if (copies.length > 0) await ask(operation, { ...input, Entries: copies })
    return answer
  }
}

/** What counts where a message names no delay: naming one replaces it. */
async function readQueueDelay({ QueueUrl }: JsonObject, ask: Ask): Promise<number> {
  const { body } = await ask('GetQueueAttributes', { QueueUrl, AttributeNames: ['DelaySeconds'] })
  const attributes = body.Attributes as { readonly DelaySeconds?: string } | undefined
  return Number(attributes?.DelaySeconds ?? 0)
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value : []
}
