import * as z from 'zod/mini'
import type { AccountName } from '../account/options.ts'
import type { Instant } from '../base/clock.ts'
import { type RowId, rowIdAt, rowIdPlus } from '../base/row-id.ts'
import { newSuppression } from '../suppression/new-suppression.ts'
import type { Suppression } from '../suppression/suppression.ts'
import type { FileRow } from '../suppression/suppression-file.ts'
import { readAddress } from './addresses.ts'
import type { AdminPorts } from './admin-ports.ts'
import { MOST_IMPORT_ROWS, MOST_INVALID_ROWS } from './call-limits.ts'
import { reasonField } from './fields.ts'
import { RequestError, readValue } from './request.ts'

/** What an import did, or with `dryrun` would do. */
export interface ImportJson {
  readonly Added: number
  /** Rows whose base address is listed already, an earlier row's among them; its entry stays as it is. */
  readonly Present: number
  readonly InvalidCount: number
  /** The first {@link MOST_INVALID_ROWS} of them; nothing came of these rows. */
  readonly Invalid: readonly InvalidRowJson[]
}

/** A row that is no entry. */
interface InvalidRowJson {
  /** Where it ends in a CSV file, or its place in a JSON list; from 1. */
  readonly Line: number
  /** As far as there is one. */
  readonly Address: string
  /** `field: rule`. */
  readonly Error: string
}

const WRITES_AT_A_TIME = 25
const LONGEST_ADDRESS_SHOWN = 300
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i

/** What an entry can be; what stands in an exported one and follows from the rest is left out. */
const importRow = z.strictObject({
  Address: z.optional(z.string()),
  OriginalAddress: z.optional(z.string()),
  Reason: z._default(reasonField, ''),
  Manual: z._default(z.boolean(), true),
  Created: z.optional(z.string()),
  ID: z.optional(z.unknown()),
  Account: z.optional(z.unknown()),
  BaseAddress: z.optional(z.unknown()),
})

/**
 * Adds the valid rows to an account's list. All are checked before the first is written; doing it again adds
 * nothing. Throws {@link RequestError} for too many rows.
 */
export async function importSuppressions(
  ports: Pick<AdminPorts, 'suppressions' | 'clock' | 'random'>,
  account: AccountName,
  rows: readonly FileRow[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<ImportJson> {
  if (rows.length > MOST_IMPORT_ROWS) {
    throw new RequestError('body', `must have at most ${MOST_IMPORT_ROWS} rows; import more in several calls`)
  }
  const { entries, invalid } = readRows(ports, account, rows)
  const listed = new Set((await ports.suppressions.findAll(entries)).map((entry) => entry.baseAddress))
  const missing = entries.filter(({ baseAddress }) => !listed.has(baseAddress))
  const added = dryRun ? missing.length : await addAll(ports, missing)
  return {
    Added: added,
    Present: rows.length - invalid.length - added,
    InvalidCount: invalid.length,
    Invalid: invalid.slice(0, MOST_INVALID_ROWS),
  }
}

/** The first row of a base address is its entry. The ids are a run from now, whatever times the rows name. */
function readRows(
  { clock, random }: Pick<AdminPorts, 'clock' | 'random'>,
  account: AccountName,
  rows: readonly FileRow[],
) {
  const now = clock.now()
  const firstId = rowIdAt(now, Math.floor(random.fraction() * 4096))
  const entries = new Map<string, Suppression>()
  const invalid: InvalidRowJson[] = []
  for (const { line, value } of rows) {
    try {
      const entry = readEntry(value, { account, now, id: rowIdPlus(firstId, entries.size) })
      if (!entries.has(entry.baseAddress)) entries.set(entry.baseAddress, entry)
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      invalid.push({ Line: line, Address: addressOf(value), Error: error.message })
    }
  }
  return { entries: [...entries.values()], invalid }
}

function readEntry(
  value: unknown,
  { account, now, id }: { readonly account: AccountName; readonly now: Instant; readonly id: RowId },
): Suppression {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RequestError('entry', 'must be a JSON object')
  }
  const row = readValue(importRow, value, '')
  const text = row.Address ?? row.OriginalAddress
  if (text === undefined) throw new RequestError('Address', 'is required')
  const createdAt = row.Created === undefined ? now : readCreated(row.Created, now)
  const address = readAddress('Address', text)
  return newSuppression(address, { id, account, createdAt, manual: row.Manual, reason: row.Reason })
}

function readCreated(text: string, now: Instant): Instant {
  const at = RFC_3339.test(text) ? Date.parse(text) : Number.NaN
  if (at >= 0 && at <= now) return at
  throw new RequestError('Created', 'must be an RFC 3339 time between 1970 and now')
}

/** How many were added: somebody else may list an address meanwhile. */
async function addAll(
  { suppressions }: Pick<AdminPorts, 'suppressions'>,
  entries: readonly Suppression[],
): Promise<number> {
  let added = 0
  for (let start = 0; start < entries.length; start += WRITES_AT_A_TIME) {
    const some = entries.slice(start, start + WRITES_AT_A_TIME)
    const written = await Promise.all(some.map((entry) => suppressions.add(entry)))
    added += written.filter((isNew) => isNew).length
  }
  return added
}

function addressOf(value: unknown): string {
  const { Address, OriginalAddress } = Object(value) as Readonly<Record<string, unknown>>
  const text = Address ?? OriginalAddress
  return typeof text === 'string' ? text.slice(0, LONGEST_ADDRESS_SHOWN) : ''
}
