import type { Options } from '../account/options.ts'
import type { OptionsStore } from '../account/options-store.ts'
import type { Address } from '../address/address.ts'
import type { DelayedHint, HintChannel } from '../attempts/hint-channel.ts'
import { type Clock, DAY, type Instant } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import { type RowId, rowIdAt, rowIdPlus } from '../base/row-id.ts'
import { type ContentStore, queueContent } from '../content/content-store.ts'
import type { FutureRelease } from '../smtp/future-release.ts'
import { holdByRules } from './hold-rules.ts'
import { nextHintsInLane } from './lanes.ts'
import type { QueueStore } from './queue-store.ts'
import {
  ATTEMPTS_TAKE_MS,
  contentKeptUntil,
  type DsnRequest,
  LONGEST_WAIT_MS,
  type QueuedMessage,
} from './queued-message.ts'

/** A message that an account wants delivered. Everything in it has been checked. */
export interface Submission {
  readonly account: string
  /** Left out: the null reverse-path. */
  readonly mailFrom?: Address
  /** Makes the reverse-path of each message its own; see {@link UniqueMailFrom}. */
  readonly uniqueMailFrom?: (id: RowId) => UniqueMailFrom
  /** The FromID that the submitter chose, as it stands in `mailFrom`; for one recipient only. */
  readonly chosenFromId?: string
  /** 1 to {@link MOST_RECIPIENTS}; each gets a row of its own, repeated ones too. */
  readonly recipients: readonly Address[]
  /** The message as it goes out, with CRLF line ends. */
  readonly content: Uint8Array
  readonly messageId: string
  readonly subject: string
  readonly has8bit: boolean
  readonly smtputf8: boolean
  readonly extra: Readonly<Record<string, string>>
  readonly requireTls?: boolean
  readonly futureRelease?: FutureRelease
  /** One for each recipient, in their order; none where nothing was asked. */
  readonly dsn?: readonly (DsnRequest | undefined)[]
}

/** A reverse-path of one message alone, and the part of it that tells. */
export interface UniqueMailFrom {
  readonly fromId: string
  readonly mailFrom: Address
}

export interface SubmitPorts {
  readonly options: Pick<OptionsStore, 'read'>
  readonly content: ContentStore
  readonly queue: QueueStore
  readonly deliveries: HintChannel
  readonly clock: Clock
  readonly random: Random
}

/** RFC 5321 §4.5.3.1.8 demands 100; this is ours. */
export const MOST_RECIPIENTS = 1000

const MOST_DRAWS = 20
/** After the last attempt. */
const BOUNCES_COME_FOR_MS = 15 * DAY

/** A base that is written down elsewhere, so that whoever repeats the call after a crash finds what was written. */
export interface KeptBase {
  readonly base: RowId
  /** Writes down another base, before anything is written under it: nothing was accepted under the last one. */
  renew(base: RowId): Promise<void>
}

/**
 * Accepts a message: from here on it is delivered or the account is told why not. Dying between any two steps
 * loses nothing that was accepted, and leaves nothing of what was not. With a kept base, running it again with
 * the same content is as running it once. Throws {@link FromIdUsedError}, with nothing accepted.
 */
export async function submit(
  ports: SubmitPorts,
  submission: Submission,
  kept?: KeptBase,
): Promise<readonly QueuedMessage[]> {
  const { queue, deliveries } = ports
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const now = ports.clock.now()
    const base = draw === 0 && kept ? kept.base : drawBase(ports)
    if (draw > 0) await kept?.renew(base)
    const options = await ports.options.read()
    const rows = onHold(options, newRows(submission, base, now), now)
    const contentExpiresAt = Math.max(...rows.map(contentKeptUntil))

    await refuseUsed(queue, submission)
    if (!(await keepContent(ports, base, submission.content, contentExpiresAt, kept !== undefined))) continue
    await noteMessageId(queue, rows, contentExpiresAt + BOUNCES_COME_FOR_MS)
    if (!(await addRows(queue, options, submission, rows))) continue
    if (rows.length > 1 && !(await commit(queue, rows, contentExpiresAt))) continue
    await deliveries.send(firstHints(options, rows, now))
    return rows
  }
  throw new Error('no free id was found for a new message')
}

/** A bounce to a reverse-path that is not the message's own finds it by its Message-ID. */
async function noteMessageId(
  queue: QueueStore,
  rows: readonly QueuedMessage[],
  expiresAt: Instant,
): Promise<void> {
  const row = rows.find(({ fromId }) => fromId === '')
  if (!row) return
  const { account, messageId, base, recipients } = row
  await queue.noteMessageId({ account, messageId, base, recipients }, expiresAt)
}

/** The chosen FromID is that of an earlier message: a bounce could not tell them apart. Nothing was accepted. */
export class FromIdUsedError extends Error {
  override readonly name = 'FromIdUsedError'
}

/** Before anything is written; who takes it meanwhile is found out by {@link addRows}. */
async function refuseUsed(queue: QueueStore, { account, chosenFromId }: Submission): Promise<void> {
  if (chosenFromId === undefined) return
  if ((await queue.sentWithChosen(account, chosenFromId)) !== undefined) throw new FromIdUsedError()
}

/** False when an id is another Send's. */
async function addRows(
  queue: QueueStore,
  { accounts }: Options,
  { account, chosenFromId }: Submission,
  rows: readonly QueuedMessage[],
): Promise<boolean> {
  const [row] = rows
  if (chosenFromId === undefined || !row) return await queue.add(rows)
  const listedMs = lookUp(accounts, account)?.keepRetiredMessagesMs ?? 0
  const endsBy = row.queuedAt + LONGEST_WAIT_MS + ATTEMPTS_TAKE_MS
  const added = await queue.addWithChosen(row, endsBy + Math.max(listedMs, BOUNCES_COME_FOR_MS))
  if (added === 'FromID used') throw new FromIdUsedError()
  return added === 'added'
}

/** False when the base is another Send's; with a kept base the content may be there already, from an earlier run. */
async function keepContent(
  { content }: SubmitPorts,
  base: RowId,
  bytes: Uint8Array,
  expiresAt: Instant,
  isKept: boolean,
): Promise<boolean> {
  if (await content.create(queueContent(base), bytes, expiresAt)) return true
  const found = isKept && (await content.read(queueContent(base)))
  return found ? Buffer.from(found.buffer, found.byteOffset, found.byteLength).equals(bytes) : false
}

/**
 * For one recipient the row itself is the acceptance; several are accepted together, by one more item. False when
 * the Send took so long that it was given up: nothing of it will be delivered.
 */
async function commit(
  queue: QueueStore,
  rows: readonly QueuedMessage[],
  expiresAt: Instant,
): Promise<boolean> {
  const domains = Object.groupBy(rows.keys(), (place) => rows[place]?.recipient.domain ?? '')
  const committed = { kind: 'committed', domains: domains as Record<string, number[]> } as const
  return (await queue.decide(baseOf(rows), committed, expiresAt)).kind === 'committed'
}

/** A new base of now; nobody may have it, which is found out by writing under it. */
export function drawBase({ random, clock }: Pick<SubmitPorts, 'random' | 'clock'>): RowId {
  return rowIdAt(clock.now(), Math.floor(random.fraction() * 4096))
}

function baseOf(rows: readonly QueuedMessage[]): RowId {
  const [first] = rows
  if (!first) throw new Error('a Send needs a recipient')
  return first.base
}

function newRows(submission: Submission, base: RowId, now: Instant): QueuedMessage[] {
  const { account, messageId, subject, has8bit, smtputf8, extra, requireTls, futureRelease } = submission
  const { mailFrom, chosenFromId: fromId = '', dsn } = submission
  const unique = submission.uniqueMailFrom ?? (() => ({ fromId, ...(mailFrom && { mailFrom }) }))
  return submission.recipients.map((recipient, place) => ({
    account,
    id: rowIdPlus(base, place),
    ...unique(rowIdPlus(base, place)),
    base,
    recipients: submission.recipients.length,
    state: 'waiting',
    attempts: 0,
    queuedAt: now,
    nextAt: Math.max(now, futureRelease?.at ?? now),
    results: [],
    recipient,
    messageId,
    subject,
    size: submission.content.length,
    has8bit,
    smtputf8,
    extra,
    transport: '',
    ...(requireTls !== undefined && { requireTls }),
    futureRelease: futureRelease?.request ?? '',
    ...(dsn?.[place] && { dsn: dsn[place] }),
  }))
}

function onHold(options: Options, rows: readonly QueuedMessage[], now: Instant): readonly QueuedMessage[] {
  return rows.map((row) => {
    const hold = holdByRules(options, row, now)
    return hold ? { ...row, hold } : row
  })
}

/**
 * One hint per recipient domain: whoever follows it takes the others of that domain along. Messages with
 * reverse-paths of their own go alone.
 */
function firstHints(options: Options, rows: readonly QueuedMessage[], now: Instant): readonly DelayedHint[] {
  const free = rows.filter((row) => !row.hold)
  const firsts = new Map(free.toReversed().map((row) => [`${row.fromId}@${row.recipient.domain}`, row]))
  return [...firsts.values()].flatMap((row) => nextHintsInLane(options, row, now))
}
