import { type Clock, type Instant, SECOND } from '../base/clock.ts'
import { inGroups } from '../base/in-groups.ts'
import type { AttemptResult, AttemptRow } from './attempt-row.ts'
import type { AttemptStore } from './attempt-store.ts'
import type { DelayedHint, HintChannel } from './hint-channel.ts'

/** The most rows of one kind that one run hints; while as many hints wait already, see {@link roomIn}. */
export const MOST_HINTS = 5_000
const LOST_HINT_MS = 90 * SECOND
const LOOKED_AT_ONCE = 25

/** What a sweep needs to know of one kind of rows. */
export interface SweptKind<Row extends AttemptRow<Result>, Result extends AttemptResult> {
  readonly store: AttemptStore<Row, Result>
  readonly channel: HintChannel
  /** The hint that wakes a worker for this row. */
  readonly hint: (row: Row) => DelayedHint
  /** Of the rows that could be hinted, those that should be now; the others are looked at again later. */
  readonly spread?: (rows: readonly Row[], now: Instant) => Spread<Row>
  /** Hints are dropped when they have waited for so long; without it, they are followed whenever they come. */
  readonly longestWaitMs?: number
  /** Deals with rows that are no work at all; true when there is nothing left to do for this row. */
  readonly dispose?: (row: Row) => Promise<boolean>
}

/** What is hinted now, and when the rest is looked at again. */
export interface Spread<Row> {
  readonly now: readonly Row[]
  readonly later: readonly { readonly row: Row; readonly at: Instant }[]
}

/**
 * Looks at every row that is due: hints it if it waits, looks again at the lease's end if a worker has it. This
 * is the only timer: it finds what a lost hint forgot, what a dead worker left, and what is due beyond the
 * longest delay of a hint. Each account gets an equal share of the hints, so that none starves the others.
 */
export async function sweep<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  kind: SweptKind<Row, Result>,
  accounts: readonly string[],
  clock: Clock,
): Promise<{ readonly hinted: number }> {
  const { room, lostHintMs } = roomIn(await kind.channel.depth(), kind.longestWaitMs)
  if (room <= 0 || accounts.length === 0) return { hinted: 0 }
  const share = Math.max(1, Math.floor(room / accounts.length))

  let hinted = 0
  for (const account of accounts) {
    const now = clock.now()
    const rows = await kind.store.due(account, now, Math.min(share, room - hinted))
    const waiting: Row[] = []
    for (const row of rows) if (await isWaiting(kind, row, now, lostHintMs)) waiting.push(row)
    const spread: Spread<Row> = kind.spread?.(waiting, now) ?? { now: waiting, later: [] }
    await kind.channel.send(spread.now.map(kind.hint))
    await inGroups(spread.later, LOOKED_AT_ONCE, ({ row, at }) => kind.store.lookAgain(row, at))
    hinted += spread.now.length
    if (hinted >= room) break
  }
  return { hinted }
}

/**
 * Hints are not heaped upon thousands that wait already. Where old ones are dropped, those that wait may all be for
 * one receiver, and the others' rows are hinted all the same: but not those whose first hint may still be among them.
 */
function roomIn(
  depth: number,
  longestWaitMs?: number,
): { readonly room: number; readonly lostHintMs: number } {
  if (longestWaitMs === undefined) return { room: MOST_HINTS - depth, lostHintMs: LOST_HINT_MS }
  return { room: MOST_HINTS, lostHintMs: depth < MOST_HINTS ? LOST_HINT_MS : longestWaitMs }
}

/** Its first hint is on the way; this is how long a lost one is waited for. */
function isFresh({ attempts, queuedAt }: AttemptRow, now: Instant, lostHintMs: number): boolean {
  return attempts === 0 && queuedAt > now - lostHintMs
}

async function isWaiting<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  kind: SweptKind<Row, Result>,
  row: Row,
  now: number,
  lostHintMs: number,
): Promise<boolean> {
  if (row.owed !== undefined) return true
  if (row.state === 'done' || isFresh(row, now, lostHintMs)) return false
  if (kind.dispose && (await kind.dispose(row))) return false
  if (row.hold) {
    await kind.store.setAside(row)
    return false
  }
  const lookAgainAt = Math.max(row.nextAt, row.lease?.endsAt ?? 0)
  if (lookAgainAt <= now) return true
  await kind.store.lookAgain(row, lookAgainAt)
  return false
}
