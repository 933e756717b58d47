import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { LARGEST_BODY, MOST_IMPORT_ROWS, MOST_INVALID_ROWS } from '../../shared/admin/call-limits.ts'
import type { ImportJson } from '../../shared/admin/suppression-import.ts'
import { FileSyntaxError } from '../../shared/suppression/csv.ts'
import {
  decodeFile,
  type FileRow,
  readCsvRows,
  readJsonRows,
} from '../../shared/suppression/suppression-file.ts'
import { CliError } from './cli-error.ts'
import type { AdminClient } from './client.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

/** A file, and the account on whose list its addresses go. */
interface FileImport {
  readonly session: Session
  readonly client: AdminClient
  readonly account: string
  /** `-` is standard input. */
  readonly file: string
  readonly dryRun: boolean
}

/** Imports a file in as many calls as it needs. The exit code is 1 if a row was invalid; throws {@link CliError}. */
export async function importFile({ session, client, account, file, dryRun }: FileImport): Promise<void> {
  const rows = readRows(file, await readBytes(file))
  const path = `/suppressions/${encodeURIComponent(account)}/import${dryRun ? '?dryrun=true' : ''}`
  let sum: ImportJson = { Added: 0, Present: 0, InvalidCount: 0, Invalid: [] }
  let done = 0
  // All parts are made first: what fits into no call is found before the first one.
  for (const part of [...partsOf(rows)]) {
    try {
      const values = part.map(({ value }) => value)
      sum = added(sum, await client.post<ImportJson>(path, values), part)
    } catch (error) {
      if (!(error instanceof CliError) || done === 0) throw error
      throw new CliError(`${error.message}; ${done} of ${rows.length} rows were done: run it again`)
    }
    done += part.length
    if (part.length < rows.length) showProgress(done, rows.length)
  }
  session.show(sum, describe(sum, dryRun))
  if (sum.InvalidCount > 0) process.exitCode = 1
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (error) {
    throw new CliError(`cannot read ${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** No address begins with a bracket. */
function readRows(file: string, bytes: Uint8Array): readonly FileRow[] {
  try {
    const text = decodeFile(bytes)
    return /^\s*[[{]/.test(text) ? readJsonRows(text) : readCsvRows(text)
  } catch (error) {
    if (error instanceof FileSyntaxError) throw new CliError(`${file}: ${error.message}`)
    throw error
  }
}

/** Parts that are small enough for a call; of nothing one that is empty, so that a wrong account is noticed. */
function* partsOf(rows: readonly FileRow[]): Generator<readonly FileRow[]> {
  let part: FileRow[] = []
  let bytes = 2
  for (const row of rows) {
    const rowBytes = Buffer.byteLength(JSON.stringify(row.value)) + 1
    if (rowBytes + 2 > LARGEST_BODY) throw new CliError(`line ${row.line}: is longer than a call may be`)
    if (part.length === MOST_IMPORT_ROWS || bytes + rowBytes > LARGEST_BODY) {
      yield part
      part = []
      bytes = 2
    }
    part.push(row)
    bytes += rowBytes
  }
  yield part
}

/** The API counts lines within its part. */
function added(sum: ImportJson, answer: ImportJson, part: readonly FileRow[]): ImportJson {
  const invalid = answer.Invalid.map((row) => ({ ...row, Line: part[row.Line - 1]?.line ?? row.Line }))
  return {
    Added: sum.Added + answer.Added,
    Present: sum.Present + answer.Present,
    InvalidCount: sum.InvalidCount + answer.InvalidCount,
    Invalid: [...sum.Invalid, ...invalid].slice(0, MOST_INVALID_ROWS),
  }
}

function showProgress(done: number, all: number): void {
  const text = `${done} of ${all} rows`
  if (!process.stderr.isTTY) process.stderr.write(`${text}\n`)
  else process.stderr.write(`\r${text}${done === all ? '\n' : ''}`)
}

function describe({ Added, Present, InvalidCount, Invalid }: ImportJson, dryRun: boolean): string {
  const counts = `${Added} ${dryRun ? 'would be added' : 'added'}, ${Present} listed already`
  if (InvalidCount === 0) return counts
  const rows = Invalid.map(({ Line, Address, Error: rule }) => [String(Line), Address, rule])
  const more = InvalidCount > Invalid.length ? `\nand ${InvalidCount - Invalid.length} more` : ''
  return `${counts}, ${InvalidCount} invalid:\n${table(['LINE', 'ADDRESS', 'ERROR'], rows)}${more}`
}
