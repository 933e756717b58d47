import { lookUp } from '../base/look-up.ts'
import { type CsvRecord, FileSyntaxError, formatCsvRecord, parseCsv } from './csv.ts'
import type { SuppressionJson } from './wire-suppression.ts'

/** An entry of a file that is to be imported. Nothing of it is checked. */
export interface FileRow {
  /** Where it ends in a CSV file, or its place in a JSON list; from 1. */
  readonly line: number
  /** What the import of the admin API takes as an entry: an object with `Address` or `OriginalAddress`. */
  readonly value: unknown
}

/** The first line of a CSV file of entries; {@link csvOfSuppression} writes the others. */
export const csvHeading = formatCsvRecord([
  'account',
  'baseaddress',
  'originaladdress',
  'manual',
  'reason',
  'created',
])

/** Fields of an entry by the columns that lists of other mail services have too; what else they have is left out. */
const fieldsByColumn: Readonly<Record<string, 'Address' | 'Reason' | 'Manual' | 'Created'>> = {
  address: 'Address',
  email: 'Address',
  emailaddress: 'Address',
  originaladdress: 'Address',
  reason: 'Reason',
  manual: 'Manual',
  created: 'Created',
}

/** Writes an entry as a line of a CSV file. */
export function csvOfSuppression(entry: SuppressionJson): string {
  const { Account, BaseAddress, OriginalAddress, Manual, Reason, Created } = entry
  return formatCsvRecord([Account, BaseAddress, OriginalAddress, String(Manual), Reason, Created])
}

/** The text of a file in UTF-8, without a byte order mark; throws {@link FileSyntaxError}. */
export function decodeFile(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FileSyntaxError('must be UTF-8')
  }
}

/** Reads a list of entries in JSON; throws {@link FileSyntaxError}. */
export function readJsonRows(text: string): readonly FileRow[] {
  const list = parseJson(text)
  if (!Array.isArray(list)) throw new FileSyntaxError('must be a list')
  return list.map((value: unknown, place) => ({ line: place + 1, value }))
}

/** Reads CSV with a heading, its columns in any order, or one address a line; throws {@link FileSyntaxError}. */
export function readCsvRows(text: string): readonly FileRow[] {
  const records = parseCsv(text)
  const [first] = records
  if (!first) return []
  const columns = first.values.map(columnName)
  const fields = columns.map((column) => lookUp(fieldsByColumn, column) ?? '')
  if (fields.includes('Address')) {
    checkFields(fields)
    return records.slice(1).map((record) => rowOf(record, fields))
  }
  if (columns.length === 1) return records.map((record) => rowOf(record, ['Address']))
  throw new FileSyntaxError(
    'the first line must name a column address, email or originaladdress, or there must be one address a line',
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new FileSyntaxError('must be JSON')
  }
}

function columnName(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, '')
}

function checkFields(fields: readonly string[]): void {
  const twice = fields.find((field, place) => field !== '' && fields.indexOf(field) !== place)
  if (twice !== undefined) {
    throw new FileSyntaxError(`the first line names two columns for ${twice.toLowerCase()}`)
  }
}

/** A value behind the last column is a field that no entry has, and so an error of its row. */
function rowOf({ line, values }: CsvRecord, fields: readonly string[]): FileRow {
  const entries = values.flatMap((text, place) => {
    const field = fields[place] ?? `column ${place + 1}`
    return field === '' || (text === '' && field !== 'Address') ? [] : [[field, cellValue(field, text)]]
  })
  return { line, value: Object.fromEntries(entries) }
}

/** Spreadsheets write TRUE and FALSE. A reason stays as it is. */
function cellValue(field: string, text: string): string | boolean {
  if (field === 'Reason') return text
  const trimmed = text.trim()
  if (field !== 'Manual' || !/^(true|false)$/i.test(trimmed)) return trimmed
  return trimmed.toLowerCase() === 'true'
}
