import type { AttemptResult, AttemptRow, Retired } from '../../attempts/attempt-row.ts'
import type { Claim, RowEdit, Settlement } from '../../attempts/attempt-store.ts'
import { DAY, formatInstant, type Instant } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import { holdItem, type RowFormat, resultItem, type StoredRow } from './attempt-items.ts'
import { type Change, changeItem, type Item, type Table } from './dynamo.ts'
import { expiresAtSeconds, indexPartition, indexSort, type RowKind } from './table.ts'

/** A finished row stays at least this long, listed or not, so that late news still finds it. */
const REMEMBERED_MS = 15 * DAY

/** Demands of the stored row what the row at hand says, so that a claim never overwrites what it has not seen. */
export function claimChange<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(format: RowFormat<Row, Result, Edit>, row: Row, { attempt, lease, running }: Claim<Result>): Change {
  const taken = row.state === 'attempting'
  const { workerEndsAt } = lease
  return {
    key: format.key(row.account, row.id),
    update: `SET #state = :attempting, #attempts = :attempt, #owner = :owner, #leaseEndsAt = :leaseEndsAt, #results.#${attempt} = :running${
      taken ? `, #results.#${row.attempts}.#status = :interrupted` : ''
    }${workerEndsAt === undefined ? ' REMOVE #workerEndsAt' : ', #workerEndsAt = :workerEndsAt'}`,
    condition: `#attempts = :before AND #nextAt <= :now AND attribute_not_exists(#hold) AND ${
      taken ? '#state = :attempting AND #owner = :lastOwner AND #leaseEndsAt < :now' : '#state = :waiting'
    }`,
    values: {
      attempting: 'attempting',
      attempt,
      before: attempt - 1,
      owner: lease.owner,
      leaseEndsAt: formatInstant(lease.endsAt),
      ...(workerEndsAt !== undefined && { workerEndsAt: formatInstant(workerEndsAt) }),
      running: resultItem(running),
      now: formatInstant(running.startedAt),
      ...(taken ? { interrupted: 'interrupted', lastOwner: row.lease?.owner ?? '' } : { waiting: 'waiting' }),
    },
  }
}

/** What an outcome leaves to be done, and when somebody must look whether it was. */
export interface Owed {
  readonly what: string
  readonly lookAt: Instant
}

/** The outcome of an attempt, demanded to be of the claim's owner. */
export function settleChange<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(format: RowFormat<Row, Result, Edit>, row: Row, settlement: Settlement<Result>, owed?: Owed): Change {
  return outcomeChange(format, row, settlement, owed, {
    place: String(row.attempts),
    condition: '#state = :attempting AND #attempts = :attempt AND #owner = :owner',
    values: { attempting: 'attempting', attempt: row.attempts, owner: row.lease?.owner ?? '' },
  })
}

/**
 * The outcome of an attempt as somebody else tells it, who knows what the remote did: the row is in the remote's
 * hands, or its worker has not told. Demanded to be as it was read.
 */
export function toldChange<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(format: RowFormat<Row, Result, Edit>, row: Row, settlement: Settlement<Result>, owed?: Owed): Change {
  return outcomeChange(format, row, settlement, owed, {
    place: String(row.attempts),
    condition: '#state = :before AND #attempts = :attempt',
    values: { before: row.state, attempt: row.attempts },
  })
}

/** The end of a row that nobody works on, by decree; demanded to be as it was read. */
export function cancelChange<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(
  format: RowFormat<Row, Result, Edit>,
  row: Row,
  settlement: Settlement<Result>,
  by: RowId,
  owed?: Owed,
): Change {
  const isTaken = row.state === 'attempting'
  return outcomeChange(format, row, settlement, owed, {
    place: cancelPlace(by),
    condition: `#state = :before AND #attempts = :attempt${isTaken ? ' AND #owner = :owner' : ''}`,
    values: {
      before: row.state,
      attempt: row.attempts,
      ...(isTaken && { owner: row.lease?.owner ?? '' }),
    },
  })
}

/** Whose outcome it is: where its result goes, and what the stored row must be. */
interface Authority {
  readonly place: string
  readonly condition: string
  readonly values: Item
}

function outcomeChange<Row extends AttemptRow<Result>, Result extends AttemptResult, Edit extends RowEdit>(
  format: RowFormat<Row, Result, Edit>,
  row: Row,
  settlement: Settlement<Result>,
  owed: Owed | undefined,
  { place, condition, values }: Authority,
): Change {
  const { set, values: ofEnd } =
    settlement.kind === 'retire'
      ? retired(format, row, settlement.retired, owed)
      : unfinished(format, row, settlement, owed)
  // Whoever owes a notice must be met by the sweep, although the row may be on hold by now.
  const result = `#results.#${place} = :result${owed ? ', #owed = :owed, #due = :due' : ''}`
  const leavesIndex = settlement.kind === 'retire' && !owed
  const staysHeld = settlement.kind === 'retry'
  return {
    key: format.key(row.account, row.id),
    condition,
    update: `SET ${set}, ${result} REMOVE #owner, #leaseEndsAt, #workerEndsAt${staysHeld ? '' : ', #hold'}${
      leavesIndex ? ', #owed, #due, #dueAt' : ''
    }`,
    values: {
      ...values,
      ...ofEnd,
      result: resultItem(settlement.result),
      ...(owed && { owed: owed.what, ...dueValue(format, row) }),
    },
  }
}

/** What an outcome sets, and the values of that. */
interface Setting {
  readonly set: string
  readonly values: Item
}

/** Where the remote has the row, a hold came too late, and the sweep is to see the end of its time. */
function unfinished(
  format: { readonly kind: RowKind },
  row: AttemptRow,
  { kind, nextAt }: { readonly kind: 'retry' | 'hand'; readonly nextAt: Instant },
  owed: Owed | undefined,
): Setting {
  const isHanded = kind === 'hand'
  const lookAt = Math.min(nextAt, owed?.lookAt ?? nextAt)
  // The sweep is to meet what the outcome before it owes, not only the next attempt.
  const stillOwes = row.owed !== undefined && owed === undefined
  return {
    set: `#state = :state, #nextAt = :nextAt${stillOwes ? '' : ', #dueAt = :dueAt'}${isHanded ? ', #due = :due' : ''}`,
    values: {
      state: isHanded ? 'handed' : 'waiting',
      nextAt: formatInstant(nextAt),
      ...(!stillOwes && { dueAt: indexSort(lookAt, row.id) }),
      ...(isHanded && dueValue(format, row)),
    },
  }
}

function retired(
  format: { readonly kind: RowKind },
  row: AttemptRow,
  { success, lastActivityAt, keepUntil }: Retired,
  owed: Owed | undefined,
): Setting {
  const listed = keepUntil > 0
  return {
    set: `#state = :done, #success = :success, #lastActivityAt = :lastActivityAt, #expires = :expires${
      listed ? ', #retired = :retired, #retiredAt = :retiredAt, #keepUntil = :keepUntil' : ''
    }${owed ? ', #dueAt = :dueAt' : ''}`,
    values: {
      done: 'done',
      success,
      lastActivityAt: formatInstant(lastActivityAt),
      ...(owed && { dueAt: indexSort(owed.lookAt, row.id) }),
      expires: expiresAtSeconds(Math.max(keepUntil, lastActivityAt + REMEMBERED_MS)),
      ...(listed && {
        retired: indexPartition(format.kind, row.account),
        retiredAt: indexSort(lastActivityAt, row.id),
        keepUntil: formatInstant(keepUntil),
      }),
    },
  }
}

/** Where the sweep meets a row. */
function dueValue({ kind }: { readonly kind: RowKind }, { account }: AttemptRow): Item {
  return { due: indexPartition(kind, account) }
}

/** Results of decrees lie beside those of attempts, so that neither hides the other. */
function cancelPlace(by: RowId): string {
  return `c${by}`
}

/** Tells a row that holds this very outcome: the write was repeated, not refused. */
export function hasSettled<Result extends AttemptResult>(
  row: AttemptRow<Result>,
  { result }: Settlement<Result>,
  by?: RowId,
): (item: Item) => boolean {
  return (item) => {
    const { results } = item as unknown as StoredRow<AttemptResult>
    const stored = results[by === undefined ? row.attempts : cancelPlace(by)]
    return stored?.status === result.status && stored.durationMs === result.durationMs && !stored.late
  }
}

/** A result that comes after somebody else went on is kept beside theirs: what the remote did is never forgotten. */
export async function keepLateResult<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(table: Table, format: RowFormat<Row, Result, Edit>, row: Row, result: Result): Promise<void> {
  await changeItem(table, {
    key: format.key(row.account, row.id),
    update: `SET #results.#${row.attempts} = :result`,
    condition: `attribute_exists(#pk) AND #results.#${row.attempts}.#status IN (:running, :interrupted)`,
    values: { result: resultItem({ ...result, late: true }), running: 'running', interrupted: 'interrupted' },
  })
}

/** Tells a row that this operation has edited already; all of them are remembered, for a late repetition of any. */
export function isEditedBy(item: Item, by: RowId | undefined): boolean {
  return by !== undefined && item.operations instanceof Set && item.operations.has(by)
}

/** An edit of an unfinished row, demanded to be as it was read. */
export function editChange<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(format: RowFormat<Row, Result, Edit>, row: Row, edit: Edit, by: RowId | undefined): Change {
  const { hold, releasedAt, nextAt } = edit
  const isHeld = releasedAt === undefined && (hold ?? row.hold) !== undefined
  const attributes: Item = {
    // What owes a notice stays where, and when, the sweep meets it.
    due: indexPartition(format.kind, row.account, isHeld && row.owed === undefined),
    ...(nextAt !== undefined && row.owed === undefined && { dueAt: indexSort(nextAt, row.id) }),
    hold: isHeld ? holdItem(hold ?? row.hold ?? { reason: '', since: 0 }) : undefined,
    ...(releasedAt !== undefined && { releasedAt: formatInstant(releasedAt) }),
    ...(nextAt !== undefined && { nextAt: formatInstant(nextAt) }),
    ...format.edited(edit),
  }
  const names = Object.keys(attributes)
  const removed = names.filter((name) => attributes[name] === undefined)
  const set = names.filter((name) => !removed.includes(name))
  const { condition, values } = asRead(row, edit, by)
  return {
    key: format.key(row.account, row.id),
    update: `SET ${set.map((name) => `#${name} = :${name}`).join(', ')}${
      removed.length > 0 ? ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}` : ''
    }${by === undefined ? '' : ' ADD #operations :operations'}`,
    condition,
    values: { ...attributes, ...values, ...(by !== undefined && { operations: new Set([by]) }) },
  }
}

/** The demand that a row is as it was read, as far as the edit depends on it, and that `by` has not edited it. */
function asRead(row: AttemptRow, { nextAt }: RowEdit, by: RowId | undefined) {
  const isMoved = nextAt !== undefined
  return {
    condition: [
      '#state = :state AND #attempts = :attempts AND attribute_exists(#due)',
      row.hold ? 'attribute_exists(#hold)' : 'attribute_not_exists(#hold)',
      row.owed === undefined ? 'attribute_not_exists(#owed)' : 'attribute_exists(#owed)',
      // Who puts a row off adds to the time that he has read.
      ...(isMoved ? ['#nextAt = :nextAtBefore'] : []),
      ...(by === undefined ? [] : ['NOT contains(#operations, :by)']),
    ].join(' AND '),
    values: {
      state: row.state,
      attempts: row.attempts,
      ...(by !== undefined && { by }),
      ...(isMoved && { nextAtBefore: formatInstant(row.nextAt) }),
    },
  }
}
