import type { Address } from '../address/address.ts'
import type { DelayedHint, HintChannel } from '../attempts/hint-channel.ts'
import { type Clock, DAY, type Instant, SECOND } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type RowId, rowIdAt, rowIdPlus } from '../base/row-id.ts'
import { type ContentStore, queueContent } from '../content/content-store.ts'
import type { QueueStore } from './queue-store.ts'
import { attemptHint, type QueuedMessage } from './queued-message.ts'

/** A message that an account wants delivered. Everything in it has been checked. */
export interface Submission {
  readonly account: string
  readonly mailFrom: Address
  /** 1 to {@link MOST_RECIPIENTS}; each gets a row of its own, repeated ones too. */
  readonly recipients: readonly Address[]
  /** The message as it goes out, with CRLF line ends. */
  readonly content: Uint8Array
  readonly messageId: string
  readonly subject: string
  readonly has8bit: boolean
  readonly smtputf8: boolean
  readonly extra: Readonly<Record<string, string>>
}

export interface SubmitPorts {
  readonly content: ContentStore
  readonly queue: QueueStore
  readonly deliveries: HintChannel
  readonly clock: Clock
  readonly random: Random
}

/** RFC 5321 §4.5.3.1.8 demands 100; this is ours. */
export const MOST_RECIPIENTS = 1000

/** Somebody must look at a new row by then; its hint is normally followed long before. */
const LOST_HINT_MS = 90 * SECOND
const CONTENT_KEPT_MS = 7 * DAY
const MOST_DRAWS = 20

/**
 * Accepts a message: from here on it is delivered or the account is told why not. Dying between any two steps
 * loses nothing that was accepted, and leaves nothing of what was not.
 */
export async function submit(ports: SubmitPorts, submission: Submission): Promise<readonly QueuedMessage[]> {
  const { queue, deliveries } = ports
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const now = ports.clock.now()
    const base = drawBase(ports.random, now)
    const rows = newRows(submission, base, now)
    const contentExpiresAt = now + CONTENT_KEPT_MS

    if (!(await ports.content.create(queueContent(base), submission.content, contentExpiresAt))) continue
    if (!(await queue.add(rows))) continue
    if (rows.length > 1) await commit(queue, rows, contentExpiresAt)
    await deliveries.send(firstHints(rows))
    return rows
  }
  throw new Error('no free id was found for a new message')
}

/** For one recipient the row itself is the acceptance; several are accepted together, by one more item. */
async function commit(queue: QueueStore, rows: readonly QueuedMessage[], expiresAt: Instant): Promise<void> {
  const domains = Object.groupBy(rows.keys(), (place) => rows[place]?.recipient.domain ?? '')
  const committed = { kind: 'committed', domains: domains as Record<string, number[]> } as const
  const decision = await queue.decide(baseOf(rows), committed, expiresAt)
  if (decision.kind === 'aborted') throw new Error('the Send took so long that it was given up')
}

function drawBase(random: Random, now: Instant): RowId {
  return rowIdAt(now, Math.floor(random.fraction() * 4096))
}

function baseOf(rows: readonly QueuedMessage[]): RowId {
  const [first] = rows
  if (!first) throw new Error('a Send needs a recipient')
  return first.base
}

function newRows(submission: Submission, base: RowId, now: Instant): QueuedMessage[] {
  const { account, mailFrom, messageId, subject, has8bit, smtputf8, extra } = submission
  return submission.recipients.map((recipient, place) => ({
    account,
    id: rowIdPlus(base, place),
    base,
    recipients: submission.recipients.length,
    state: 'waiting',
    attempts: 0,
    queuedAt: now,
    nextAt: now,
    results: [],
    mailFrom,
    recipient,
    fromId: '',
    messageId,
    subject,
    size: submission.content.length,
    has8bit,
    smtputf8,
    extra,
  }))
}

/** One hint per recipient domain: whoever follows it takes the others of that domain along. */
function firstHints(rows: readonly QueuedMessage[]): DelayedHint[] {
  const firsts = new Map(rows.toReversed().map((row) => [row.recipient.domain, row]))
  return [...firsts.values()].map(attemptHint)
}

/** When somebody must look at a row that was just added. */
export function firstLookAt(row: QueuedMessage): Instant {
  return row.nextAt + LOST_HINT_MS
}
