import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Draw } from '../../infra/local/gateway/faults-random.ts'
import { localSeed } from '../local-postern.ts'
import type { Journal } from './journal.ts'
import type { SendRecord } from './run-record.ts'

/** Applications that send one message after the other, side by side. */
export interface Clients {
  /** All that was asked and may have been taken, in the order of the answers. */
  readonly sends: readonly SendRecord[]
  /** How many were answered by something else than 200, by that status. */
  readonly refused: Readonly<Record<string, number>>
  /** No request begins until {@link resume}; those under way go on. */
  pause(): void
  /** Resolves with the first Send that is taken; throws when that takes too long. */
  resume(): Promise<void>
  /** Resolves when the last request has ended, however it does. */
  stop(): Promise<void>
}

const RECIPIENTS = [1, 2, 5]
const DOMAINS = ['one.test', 'two.test', 'three.test']
/** Every that many Sends one carries a file which does not compress and so lies in S3. */
const LARGE_EVERY = 10
const LARGE_BYTES = 40_000
/** API Gateway gives up after 30 seconds. */
const ANSWER_MS = 35_000
const UNSENT_PAUSE_MS = 20

const authorization = `Basic ${Buffer.from(`${localSeed.address}:${localSeed.password}`).toString('base64')}`

/**
 * Starts `count` clients, paused. What was taken is on disk before its client sends again. `name` makes Message-IDs
 * of this run different from those of others.
 */
export function startClients(options: {
  readonly apiUrl: string
  readonly count: number
  readonly name: string
  readonly draw: Draw
  readonly journal: Journal
}): Clients {
  const sends: SendRecord[] = []
  const refused: Record<string, number> = {}
  let gate = Promise.withResolvers<void>()
  let taken = Promise.withResolvers<void>()
  let stopped = false

  async function runClient(client: number): Promise<void> {
    for (let sent = 0; ; sent++) {
      await gate.promise
      if (stopped) return
      const id = `${options.name}.${client}.${sent}`
      const recipients = newRecipients(id, options.draw)
      const messageId = `<${id}@localhost>`
      const request = requestOf(id, messageId, recipients, sent % LARGE_EVERY === 0)
      const answer = await post(options.apiUrl, request)
      if (answer.kind === 'unsent') await sleep(UNSENT_PAUSE_MS)
      else writeDown({ messageId, recipients, queueMsgIds: undefined }, answer)
    }
  }

  function writeDown(asked: SendRecord, answer: Answer): void {
    const record = answer.kind === 'accepted' ? { ...asked, queueMsgIds: answer.queueMsgIds } : asked
    if (answer.kind === 'refused') refused[answer.status] = (refused[answer.status] ?? 0) + 1
    options.journal.append({ answeredAt: Date.now(), ...record })
    sends.push(record)
    if (record.queueMsgIds) taken.resolve()
  }

  const running = Array.from({ length: options.count }, (_, client) => runClient(client))
  return {
    sends,
    refused,
    pause: () => {
      gate = Promise.withResolvers()
    },
    async resume() {
      taken = Promise.withResolvers()
      gate.resolve()
      const timer = setTimeout(
        taken.reject,
        ANSWER_MS,
        new Error(`no Send was taken in ${ANSWER_MS / 1000} s`),
      )
      await taken.promise
      clearTimeout(timer)
    },
    async stop() {
      stopped = true
      gate.resolve()
      await Promise.all(running)
    },
  }
}

function newRecipients(id: string, draw: Draw): readonly string[] {
  const count = RECIPIENTS[Math.floor(draw() * RECIPIENTS.length)] ?? 1
  return Array.from({ length: count }, (_, place) => `${id}.${place}@${DOMAINS[place % DOMAINS.length]}`)
}

function requestOf(id: string, messageId: string, recipients: readonly string[], isLarge: boolean): object {
  return {
    To: recipients.map((Address) => ({ Address })),
    Subject: `crash ${id}`,
    MessageID: messageId,
    Extra: { request: id },
    Text: `This is ${id}.\n`,
    ...(isLarge && {
      AttachedFiles: [{ Name: 'noise.bin', Data: randomBytes(LARGE_BYTES).toString('base64') }],
    }),
  }
}

type Answer =
  | { readonly kind: 'accepted'; readonly queueMsgIds: readonly number[] }
  | { readonly kind: 'refused'; readonly status: number }
  /** Nobody knows whether it was taken. */
  | { readonly kind: 'none' }
  /** There was nobody to take it. */
  | { readonly kind: 'unsent' }

async function post(apiUrl: string, request: object): Promise<Answer> {
  try {
    const answer = await fetch(`${apiUrl}/webapi/v0/Send`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    if (answer.status !== 200) return { kind: 'refused', status: answer.status }
    const { Submissions } = (await answer.json()) as {
      readonly Submissions: readonly { readonly QueueMsgID: number }[]
    }
    return { kind: 'accepted', queueMsgIds: Submissions.map(({ QueueMsgID }) => QueueMsgID) }
  } catch (error) {
    return { kind: isRefusedConnection(error) ? 'unsent' : 'none' }
  }
}

function isRefusedConnection(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {}
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}
