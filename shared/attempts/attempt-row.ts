import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'

/**
 * Work that is tried until it is done: a message for one recipient, or a webhook call. Both are the same machine:
 *
 *     waiting ──claim──► attempting ──outcome──► done
 *        ▲                   │  └─────lease over──► claimed again as the next attempt
 *        └──────outcome──────┤
 *                            └──remote has it──► handed ──told later──► done
 *
 * A row is claimed before anything is tried and settled after, each by one conditional write; whoever fails a
 * condition has nothing to do. So any number of workers may be told of the same row, at any time, twice.
 * A row on hold is claimed by nobody until it is released; an attempt that runs is not stopped by that.
 */
export interface AttemptRow<Result extends AttemptResult = AttemptResult> {
  readonly account: string
  readonly id: RowId
  /** `handed`: the remote has it and will tell how it ended; until `nextAt`, when it counts as told. */
  readonly state: 'waiting' | 'attempting' | 'handed' | 'done'
  /** How often the row was claimed; the next claim is attempt `attempts + 1`. */
  readonly attempts: number
  readonly queuedAt: Instant
  /** When the next attempt may begin. */
  readonly nextAt: Instant
  /** Set while attempting: who does it, and until when nobody else may. */
  readonly lease?: Lease
  /** One for each attempt begun, in order. */
  readonly results: readonly Result[]
  /** Set once done. */
  readonly retired?: Retired
  /** Set while nobody may claim the row. */
  readonly hold?: Hold
  /** When it was last released from a hold. */
  readonly releasedAt?: Instant
  /** The operations that changed it. */
  readonly operations?: ReadonlySet<RowId>
  /** What the last outcome still owes, such as a notice. Somebody must look until it is given, also once done. */
  readonly owed?: string
}

/** Why a row is on hold, in words for the operator, and since when. */
export interface Hold {
  readonly reason: string
  readonly since: Instant
}

/** A claim's holder: drawn at random per claim, so that a stale worker never settles a newer claim. */
export interface Lease {
  readonly owner: string
  readonly endsAt: Instant
  /**
   * Where the remote itself tells what it has: the worker is over then, and until `endsAt` it is unknown whether the
   * remote has been given the row.
   */
  readonly workerEndsAt?: Instant
}

/** How a row ended, and until when it is kept in the retired list (0: not listed). */
export interface Retired {
  readonly success: boolean
  readonly lastActivityAt: Instant
  readonly keepUntil: Instant
}

/** What is known of one attempt. */
export interface AttemptResult {
  readonly attempt: number
  readonly startedAt: Instant
  /** Milliseconds; 0 while it runs and when nobody saw its end. */
  readonly durationMs: number
  /**
   * `interrupted`: the worker vanished before it could tell; `postponed`: the remote had no time for it. Neither
   * counts as an attempt.
   */
  readonly status: 'running' | 'interrupted' | 'postponed' | 'handed' | 'success' | 'temporary' | 'permanent'
  /** The remote's reply code (SMTP or HTTP); 0 if it gave none. */
  readonly code: number
  /** Empty on success. */
  readonly error: string
  /** Settled after its lease had ended and somebody else went on. */
  readonly late?: boolean
}

/**
 * How many attempts were made in earnest, for the retry schedule. What was given up for interrupted does not count
 * later either: the count would pass over an attempt, and with it over what is due after that one.
 */
export function countedAttempts(row: AttemptRow): number {
  const isNone = ({ status, late }: AttemptResult) =>
    status === 'interrupted' || status === 'postponed' || late
  return row.attempts - row.results.filter(isNone).length
}

/** How many of them are over: of a claimed row, without the attempt that is being made. */
export function attemptsBefore(row: AttemptRow): number {
  return countedAttempts(row) - (row.results.some(({ status }) => status === 'running') ? 1 : 0)
}

/** Says whether attempt `attempt` may be claimed now; the store demands the same of what it holds. */
export function isClaimable(row: AttemptRow, attempt: number, now: Instant): boolean {
  if (row.hold || row.attempts !== attempt - 1 || row.nextAt > now) return false
  return isUnclaimed(row, now)
}

/** Whether an attempt's worker is over and only the remote can tell whether it has the row. */
export function isUnknown({ state, lease }: AttemptRow, now: Instant): boolean {
  return state === 'attempting' && lease?.workerEndsAt !== undefined && lease.workerEndsAt < now
}

/** Says whether nobody works on an unfinished row: it waits, or its worker vanished. */
export function isUnclaimed(row: AttemptRow, now: Instant): boolean {
  return row.state === 'waiting' || (row.state === 'attempting' && (row.lease?.endsAt ?? now) < now)
}
