import type { AttemptResult, AttemptRow } from '../../attempts/attempt-row.ts'
import type { RowEdit } from '../../attempts/attempt-store.ts'
import { formatInstant, type Instant, parseInstant } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { Item } from './dynamo.ts'
import { indexPartition, indexSort, type Key, type RowKind } from './table.ts'

/** How one kind of rows lies in the table. */
export interface RowFormat<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit = RowEdit,
> {
  readonly kind: RowKind
  readonly key: (account: string, id: RowId) => Key
  /** The attributes beyond those of every row. */
  readonly attributes: (row: Row) => Item
  readonly parse: (item: Item, common: AttemptRow<Result>) => Row
  /** Of an edit, what goes to those attributes; undefined takes one away. */
  readonly edited: (edit: Edit) => Item
}

/**
 * The item of a new row, which waits. While it depends on a decision it lies where the sweep meets it, also on hold:
 * otherwise nobody would clear it away.
 */
export function newRowItem<
  Row extends AttemptRow<Result>,
  Result extends AttemptResult,
  Edit extends RowEdit,
>(format: RowFormat<Row, Result, Edit>, row: Row, isDecided = true): Item {
  return {
    ...format.key(row.account, row.id),
    account: row.account,
    id: row.id,
    state: row.state,
    attempts: row.attempts,
    queuedAt: formatInstant(row.queuedAt),
    nextAt: formatInstant(row.nextAt),
    results: {},
    ...(row.hold && { hold: holdItem(row.hold) }),
    due: indexPartition(format.kind, row.account, row.hold !== undefined && isDecided),
    dueAt: indexSort(row.nextAt, row.id),
    ...format.attributes(row),
  }
}

/** Reads a row back. */
export function parseRow<Row extends AttemptRow<Result>, Result extends AttemptResult, Edit extends RowEdit>(
  format: RowFormat<Row, Result, Edit>,
  item: Item,
): Row {
  const stored = item as unknown as StoredRow<Result>
  return format.parse(item, {
    account: stored.account,
    id: stored.id as RowId,
    state: stored.state,
    attempts: stored.attempts,
    queuedAt: parseInstant(stored.queuedAt),
    nextAt: parseInstant(stored.nextAt),
    ...(stored.owner !== undefined && {
      lease: {
        owner: stored.owner,
        endsAt: parseInstant(stored.leaseEndsAt ?? ''),
        ...(stored.workerEndsAt !== undefined && { workerEndsAt: parseInstant(stored.workerEndsAt) }),
      },
    }),
    results: Object.values(stored.results)
      .map((result) => ({ ...result, startedAt: parseInstant(result.startedAt) }) as unknown as Result)
      .sort((a, b) => a.attempt - b.attempt || a.startedAt - b.startedAt),
    ...(stored.hold && { hold: { reason: stored.hold.reason, since: parseInstant(stored.hold.since) } }),
    ...(stored.releasedAt !== undefined && { releasedAt: parseInstant(stored.releasedAt) }),
    ...(stored.operations && { operations: stored.operations }),
    ...(stored.owed !== undefined && { owed: stored.owed }),
    ...(stored.state === 'done' && {
      retired: {
        success: stored.success ?? false,
        lastActivityAt: parseInstant(stored.lastActivityAt ?? ''),
        keepUntil: stored.keepUntil === undefined ? 0 : parseInstant(stored.keepUntil),
      },
    }),
  })
}

/** A hold as it is stored. */
export function holdItem({ reason, since }: { readonly reason: string; readonly since: Instant }): Item {
  return { reason, since: formatInstant(since) }
}

/** A result as it is stored. */
export function resultItem(result: AttemptResult): Item {
  return { ...result, startedAt: formatInstant(result.startedAt) }
}

/** The attributes that every row has. */
export interface StoredRow<Result> {
  readonly account: string
  readonly id: number
  readonly state: AttemptRow['state']
  readonly attempts: number
  readonly queuedAt: string
  readonly nextAt: string
  readonly owner?: string
  readonly leaseEndsAt?: string
  readonly workerEndsAt?: string
  readonly results: Readonly<
    Record<string, Omit<Result, 'startedAt'> & { startedAt: string; attempt: number }>
  >
  readonly hold?: { readonly reason: string; readonly since: string }
  readonly releasedAt?: string
  readonly operations?: ReadonlySet<RowId>
  readonly success?: boolean
  readonly lastActivityAt?: string
  readonly keepUntil?: string
  readonly owed?: string
}
