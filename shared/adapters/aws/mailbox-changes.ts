import { type Clock, DAY } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import { type Action, backOff, getItem, type Table, transact } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** What happens to one mail in one mailbox; a mail that moves is removed from one and added to the other. */
export type Step =
  | {
      readonly change: 'added'
      readonly mailbox: string
      readonly id: RowId
      /** Octets of its content. */
      readonly size: number
    }
  | {
      readonly change: 'removed'
      readonly mailbox: string
      readonly id: RowId
      readonly uid: number
      readonly size: number
    }
  | { readonly change: 'changed'; readonly mailbox: string; readonly id: RowId; readonly uid: number }

/** The numbers that a step got from its mailbox. */
interface Place {
  readonly uid: number
  readonly modseq: number
}

/** Steps of one account, and what is to be written with them. Without steps nothing is written. */
export interface Plan<Result> {
  readonly result: Result
  readonly steps: readonly Step[]
  /** The mails themselves and what comes of them; `places` are in the order of the steps. */
  readonly actions: (places: readonly Place[]) => readonly Action[]
}

/** A client that was away longer reads its mailboxes anew (RFC 7162 §3.2.5.2). */
export const CHANGES_KEPT_MS = 30 * DAY

const MOST_TRIES = 100

/**
 * Takes steps in mailboxes: their numbers, places and change logs and the plan's own actions in one transaction.
 * UID and MODSEQ come from the mailboxes, which nobody else may have moved meanwhile; then there is another `plan`,
 * which is told those of its own actions that were refused.
 */
export async function changeMailboxes<Result>(
  table: Table,
  clock: Clock,
  account: string,
  plan: (refused: readonly number[]) => Promise<Plan<Result>>,
): Promise<Result> {
  let refused: readonly number[] = []
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { result, steps, actions } = await plan(refused)
    if (steps.length === 0) return result
    const mailboxes = await readMailboxes(table, clock, account, steps)
    const places = steps.map((step) => placeOf(step, mailboxes))
    const own = actions(places)
    const written = await transact(table, [
      ...own,
      ...[...mailboxes].map(([name, mailbox]) => ({ change: advance(account, name, mailbox) })),
      ...steps.flatMap((step, index) => rowsOf(account, step, places[index], clock)),
    ])
    if (written.kind === 'written') return result
    refused = written.places.filter((place) => place < own.length)
    await backOff(table, Math.min(tries, 3))
  }
  throw new Error('the mailbox changed faster than a mail in it could be written')
}

/** A mailbox's numbers as they were read, if it was there, and as the steps move them. */
interface MailboxNumbers {
  readonly was: { readonly uidNext: number; readonly modseq: number } | undefined
  readonly uidValidity: number
  uidNext: number
  modseq: number
  /** What the steps add to the octets in it. */
  grownBy: number
}

async function readMailboxes(
  table: Table,
  clock: Clock,
  account: string,
  steps: readonly Step[],
): Promise<ReadonlyMap<string, MailboxNumbers>> {
  const names = [...new Set(steps.map(({ mailbox }) => mailbox))]
  const numbers = names.map((name) => readMailbox(table, clock, account, name))
  const read = await Promise.all(
    numbers.map(async (each, index) => [names[index] ?? '', await each] as const),
  )
  return new Map(read)
}

/** A mailbox comes to be with its first mail; its UIDVALIDITY is the second of its making (RFC 9051 §2.3.1.1). */
async function readMailbox(
  table: Table,
  clock: Clock,
  account: string,
  name: string,
): Promise<MailboxNumbers> {
  const item = await getItem(table, keys.mailbox(account, name))
  if (!item)
    return { was: undefined, uidValidity: Math.floor(clock.now() / 1000), uidNext: 1, modseq: 0, grownBy: 0 }
  const was = { uidNext: Number(item.uidNext), modseq: Number(item.modseq) }
  return { was, uidValidity: Number(item.uidValidity), ...was, grownBy: 0 }
}

/** Every step has a MODSEQ of its own, so that the change log has a row for each. */
function placeOf(step: Step, mailboxes: ReadonlyMap<string, MailboxNumbers>): Place {
  const mailbox = mailboxes.get(step.mailbox)
  if (!mailbox) throw new Error(`mailbox ${step.mailbox} was not read`)
  mailbox.modseq++
  if (step.change === 'added') mailbox.grownBy += step.size
  if (step.change === 'removed') mailbox.grownBy -= step.size
  return { uid: step.change === 'added' ? mailbox.uidNext++ : step.uid, modseq: mailbox.modseq }
}

function advance(
  account: string,
  name: string,
  { was, uidValidity, uidNext, modseq, grownBy }: MailboxNumbers,
) {
  return {
    key: keys.mailbox(account, name),
    update: 'SET #uidNext = :uidNext, #modseq = :modseq, #uidValidity = :uidValidity ADD #octets :grownBy',
    condition: was ? '#uidNext = :uidWas AND #modseq = :modseqWas' : 'attribute_not_exists(#pk)',
    values: {
      uidNext,
      modseq,
      uidValidity,
      grownBy,
      ...(was && { uidWas: was.uidNext, modseqWas: was.modseq }),
    },
  }
}

/** The mail's place, and the row of the change log. */
function rowsOf(account: string, step: Step, place: Place | undefined, clock: Clock): readonly Action[] {
  if (!place) return []
  const { change, mailbox, id } = step
  const { uid, modseq } = place
  const uidKey = keys.uid(account, mailbox, uid)
  const expires = expiresAtSeconds(clock.now() + CHANGES_KEPT_MS)
  return [
    ...(change === 'added' ? [{ put: { ...uidKey, id } }] : []),
    ...(change === 'removed' ? [{ remove: uidKey }] : []),
    { put: { ...keys.mailboxChange(account, mailbox, modseq), uid, id, change, expires } },
  ]
}
