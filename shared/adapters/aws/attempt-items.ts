import type { AttemptResult, AttemptRow } from '../../attempts/attempt-row.ts'
import type { Claim, Settlement } from '../../attempts/attempt-store.ts'
import { DAY, formatInstant, type Instant, parseInstant } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import { dueIndex } from '../../runtime/names.ts'
import { type Change, changeItem, getItem, getItems, type Item, queryItems, type Table } from './dynamo.ts'
import { expiresAtSeconds, indexPartition, indexSort, type Key, type RowKind } from './table.ts'

/** A finished row that no list shows stays this long, so that late news still finds it. */
const REMEMBERED_MS = 15 * DAY

/** How one kind of rows lies in the table. */
export interface RowFormat<Row extends AttemptRow<Result>, Result extends AttemptResult> {
  readonly kind: RowKind
  readonly key: (account: string, id: RowId) => Key
  /** The attributes beyond those of every row. */
  readonly attributes: (row: Row) => Item
  readonly parse: (item: Item, common: AttemptRow<Result>) => Row
}

/** The item of a new row; somebody must look at it by `dueAt`. */
export function newRowItem<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  format: RowFormat<Row, Result>,
  row: Row,
  dueAt: Instant,
): Item {
  return {
    ...format.key(row.account, row.id),
    account: row.account,
    id: row.id,
    state: row.state,
    attempts: row.attempts,
    queuedAt: formatInstant(row.queuedAt),
    nextAt: formatInstant(row.nextAt),
    results: {},
    due: indexPartition(format.kind, row.account),
    dueAt: indexSort(dueAt, row.id),
    ...format.attributes(row),
  }
}

/** Reads a row back. */
export function parseRow<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  format: RowFormat<Row, Result>,
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
      lease: { owner: stored.owner, endsAt: parseInstant(stored.leaseEndsAt ?? '') },
    }),
    results: Object.values(stored.results)
      .map((result) => ({ ...result, startedAt: parseInstant(result.startedAt) }) as unknown as Result)
      .sort((a, b) => a.attempt - b.attempt || a.startedAt - b.startedAt),
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

/** The part of an AttemptStore that is the same for every kind of rows. */
export function attemptReads<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  table: Table,
  format: RowFormat<Row, Result>,
) {
  return {
    async read(account: string, id: RowId): Promise<Row | undefined> {
      const item = await getItem(table, format.key(account, id))
      return item && parseRow(format, item)
    },

    async claim(row: Row, claim: Claim<Result>): Promise<Row | undefined> {
      const isMine = (item: Item) => item.owner === claim.lease.owner && item.attempts === claim.attempt
      const item = await changeItem(table, claimChange(format, row, claim), isMine)
      return item && parseRow(format, item)
    },

    async due(account: string, now: Instant, limit: number): Promise<readonly Row[]> {
      return await readIndexed(table, format, account, limit, now)
    },

    async lookAgain(row: Row, at: Instant): Promise<void> {
      await changeItem(table, {
        key: format.key(row.account, row.id),
        update: 'SET #dueAt = :dueAt',
        condition: '#state = :state AND #attempts = :attempts AND attribute_exists(#due)',
        values: { dueAt: indexSort(at, row.id), state: row.state, attempts: row.attempts },
      })
    },
  }
}

/** Rows of an account by the time somebody must look, up to `until`; finished ones that the index still shows are left out. */
export async function readIndexed<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  table: Table,
  format: RowFormat<Row, Result>,
  account: string,
  limit: number,
  until?: Instant,
): Promise<readonly Row[]> {
  const indexed = await queryItems(table, {
    index: dueIndex.name,
    condition: until === undefined ? '#due = :due' : '#due = :due AND #dueAt <= :until',
    values: {
      due: indexPartition(format.kind, account),
      ...(until !== undefined && { until: `${formatInstant(until)}~` }),
    },
    limit,
  })
  const items = await getItems(
    table,
    indexed.map((item) => ({ pk: String(item.pk), sk: String(item.sk) })),
  )
  const rows = items.map((item) => parseRow(format, item))
  return rows.filter((row) => row.state !== 'done' || row.owed !== undefined)
}

/** Demands of the stored row what the row at hand says, so that a claim never overwrites what it has not seen. */
function claimChange<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  format: RowFormat<Row, Result>,
  row: Row,
  { attempt, lease, running }: Claim<Result>,
): Change {
  const taken = row.state === 'attempting'
  return {
    key: format.key(row.account, row.id),
    update: `SET #state = :attempting, #attempts = :attempt, #owner = :owner, #leaseEndsAt = :leaseEndsAt, #results.#${attempt} = :running${
      taken ? `, #results.#${row.attempts}.#status = :interrupted` : ''
    }`,
    condition: `#attempts = :before AND #nextAt <= :now AND ${
      taken ? '#state = :attempting AND #owner = :lastOwner AND #leaseEndsAt < :now' : '#state = :waiting'
    }`,
    values: {
      attempting: 'attempting',
      attempt,
      before: attempt - 1,
      owner: lease.owner,
      leaseEndsAt: formatInstant(lease.endsAt),
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
export function settleChange<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  format: RowFormat<Row, Result>,
  row: Row,
  settlement: Settlement<Result>,
  owed?: Owed,
): Change {
  const mine = {
    key: format.key(row.account, row.id),
    condition: '#state = :attempting AND #attempts = :attempt AND #owner = :owner',
  }
  const values = {
    attempting: 'attempting',
    attempt: row.attempts,
    owner: row.lease?.owner ?? '',
    result: resultItem(settlement.result),
  }
  const result = `#results.#${row.attempts} = :result${owed ? ', #owed = :owed' : ''}`
  if (settlement.kind === 'retry') {
    return {
      ...mine,
      update: `SET #state = :waiting, #nextAt = :nextAt, #dueAt = :dueAt, ${result} REMOVE #owner, #leaseEndsAt`,
      values: {
        ...values,
        waiting: 'waiting',
        nextAt: formatInstant(settlement.nextAt),
        dueAt: indexSort(Math.min(settlement.nextAt, owed?.lookAt ?? settlement.nextAt), row.id),
        ...(owed && { owed: owed.what }),
      },
    }
  }
  const { success, lastActivityAt, keepUntil } = settlement.retired
  const listed = keepUntil > 0
  return {
    ...mine,
    update: `SET #state = :done, #success = :success, #lastActivityAt = :lastActivityAt, #expires = :expires, ${result}${
      listed ? ', #retired = :retired, #retiredAt = :retiredAt, #keepUntil = :keepUntil' : ''
    }${owed ? ', #dueAt = :dueAt' : ''} REMOVE #owner, #leaseEndsAt${owed ? '' : ', #due, #dueAt'}`,
    values: {
      ...values,
      done: 'done',
      success,
      lastActivityAt: formatInstant(lastActivityAt),
      ...(owed && { owed: owed.what, dueAt: indexSort(owed.lookAt, row.id) }),
      expires: expiresAtSeconds(listed ? keepUntil : lastActivityAt + REMEMBERED_MS),
      ...(listed && {
        retired: indexPartition(format.kind, row.account),
        retiredAt: indexSort(lastActivityAt, row.id),
        keepUntil: formatInstant(keepUntil),
      }),
    },
  }
}

/** Tells a row that holds this very outcome: the write was repeated, not refused. */
export function hasSettled<Result extends AttemptResult>(
  row: AttemptRow<Result>,
  { result }: Settlement<Result>,
): (item: Item) => boolean {
  return (item) => {
    const stored = (item as unknown as StoredRow<AttemptResult>).results[row.attempts]
    return stored?.status === result.status && stored.durationMs === result.durationMs && !stored.late
  }
}

/** A result that comes after somebody else went on is kept beside theirs: what the remote did is never forgotten. */
export async function keepLateResult<Row extends AttemptRow<Result>, Result extends AttemptResult>(
  table: Table,
  format: RowFormat<Row, Result>,
  row: Row,
  result: Result,
): Promise<void> {
  await changeItem(table, {
    key: format.key(row.account, row.id),
    update: `SET #results.#${row.attempts} = :result`,
    condition: `attribute_exists(#pk) AND #results.#${row.attempts}.#status IN (:running, :interrupted)`,
    values: { result: resultItem({ ...result, late: true }), running: 'running', interrupted: 'interrupted' },
  })
}

function resultItem(result: AttemptResult): Item {
  return { ...result, startedAt: formatInstant(result.startedAt) }
}

interface StoredRow<Result> {
  readonly account: string
  readonly id: number
  readonly state: AttemptRow['state']
  readonly attempts: number
  readonly queuedAt: string
  readonly nextAt: string
  readonly owner?: string
  readonly leaseEndsAt?: string
  readonly results: Readonly<
    Record<string, Omit<Result, 'startedAt'> & { startedAt: string; attempt: number }>
  >
  readonly success?: boolean
  readonly lastActivityAt?: string
  readonly keepUntil?: string
  readonly owed?: string
}
