import { createHash } from 'node:crypto'
import { type Clock, DAY, MINUTE, SECOND } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { type ContentStore, queueContent } from '../content/content-store.ts'
import type { ComposedMessage } from '../message/compose.ts'
import { drawBase, type KeptBase } from '../queue/submit.ts'
import { ApiError } from './api-error.ts'
import type { KeyedSend, KeyedSendStore, SendKey } from './keyed-send.ts'

/** What the two halves of a Send hand on. */
export interface PreparedMessage extends ComposedMessage {
  readonly messageId: string
  /** The octets at its beginning that are trace fields, which its author's own copy does not have. */
  readonly traceOctets: number
}

/** A Send in two halves: the first changes nothing, the second accepts the message. */
export interface SendSteps {
  /** Checks and composes; under `messageId` if that was settled before. */
  prepare(messageId?: string): Promise<PreparedMessage>
  /** `isRepeated`: an earlier call has come at least so far that the content is kept. */
  accept(message: PreparedMessage, base: KeptBase, isRepeated: boolean): Promise<object>
}

interface OncePorts {
  readonly keyedSends: KeyedSendStore
  readonly content: ContentStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** How long an answer is repeated. */
const KEY_KEPT_MS = DAY
/** Longer than any call runs: API Gateway gives it 30 seconds. Who holds a key longer has died. */
const HELD_MS = MINUTE

/**
 * Sends a message once, however often the call is made with the same key: a repeated call gets the same answer, or
 * finishes what a call that died has begun. Throws ApiError `user` for another request under the key, and while
 * another call is at work. A call that fails leaves the key free.
 */
export async function sendOnce(
  ports: OncePorts,
  key: SendKey,
  requestHash: string,
  steps: SendSteps,
): Promise<object> {
  const known = await ports.keyedSends.find(key)
  if (!known) return await begin(ports, key, requestHash, steps)
  if (known.requestHash !== requestHash) {
    throw new ApiError('user', 'Idempotency-Key: was used for another request')
  }
  if (known.answer) return known.answer
  const waitMs = known.heldUntil - ports.clock.now()
  if (waitMs > 0) throw atWork(waitMs)
  return await takeOver(ports, key, known, steps)
}

async function begin(ports: OncePorts, key: SendKey, requestHash: string, steps: SendSteps): Promise<object> {
  const message = await steps.prepare()
  const send = held(ports, {
    requestHash,
    base: drawBase(ports),
    messageId: message.messageId,
    message: factsOf(message),
    expiresAt: ports.clock.now() + KEY_KEPT_MS,
  })
  if (!(await ports.keyedSends.replace(key, undefined, send))) throw atWork(HELD_MS)
  return await finish(ports, key, send, (base) => steps.accept(message, base, false))
}

/** Where the dead call kept the content it may have accepted the message too: nothing is checked or composed again. */
async function takeOver(ports: OncePorts, key: SendKey, known: KeyedSend, steps: SendSteps): Promise<object> {
  const content = await ports.content.read(queueContent(known.base))
  if (content && hashOf(content) === known.message.hash) {
    const send = held(ports, known)
    if (!(await ports.keyedSends.replace(key, known, send))) throw atWork(HELD_MS)
    const message = { ...known.message, bytes: content, messageId: known.messageId }
    return await finish(ports, key, send, (base) => steps.accept(message, base, true), 'may be accepted')
  }
  const message = await steps.prepare(known.messageId)
  const send = held(ports, { ...known, message: factsOf(message) })
  if (!(await ports.keyedSends.replace(key, known, send))) throw atWork(HELD_MS)
  return await finish(ports, key, send, (base) => steps.accept(message, base, false))
}

/** Keeps the answer; or lets go of the key, with the base where something may have been written under it. */
async function finish(
  { keyedSends, log }: OncePorts,
  key: SendKey,
  first: KeyedSend,
  accept: (base: KeptBase) => Promise<object>,
  before: 'nothing' | 'may be accepted' = 'nothing',
): Promise<object> {
  let send = first
  const change = async (changed: Partial<KeyedSend>) => {
    const next = { ...send, ...changed }
    if (!(await keyedSends.replace(key, send, next))) throw new Error('another call has taken the key over')
    send = next
  }
  try {
    const answer = await accept({ base: first.base, renew: (base) => change({ base }) })
    await change({ answer, heldUntil: 0 })
    return answer
  } catch (error) {
    const isUndone = error instanceof ApiError && before === 'nothing'
    const letGo = isUndone ? keyedSends.remove(key, send) : change({ heldUntil: 0 })
    // Where that fails too the key is free a minute later, and the first error tells the caller more.
    await letGo.catch((fault) =>
      log.error('an Idempotency-Key was not let go', fault, { account: key.account }),
    )
    throw error
  }
}

function held(ports: OncePorts, send: Omit<KeyedSend, 'holder' | 'heldUntil'>): KeyedSend {
  const holder = Buffer.from(ports.random.bytes(12)).toString('base64url')
  return { ...send, holder, heldUntil: ports.clock.now() + HELD_MS }
}

function factsOf({ bytes, has8bit, smtputf8, traceOctets }: PreparedMessage): KeyedSend['message'] {
  return { hash: hashOf(bytes), has8bit, smtputf8, traceOctets }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

function atWork(waitMs: number): ApiError {
  const seconds = Math.ceil(waitMs / SECOND)
  return new ApiError('user', 'Idempotency-Key: another call with it is at work; try again later', seconds)
}
