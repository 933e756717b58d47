import { CsvError, parse } from 'csv-parse/sync'

/** A record of a CSV file (RFC 4180). */
export interface CsvRecord {
  /** Where it ends, from 1. */
  readonly line: number
  readonly values: readonly string[]
}

/** The text cannot be read as what it should be; the message may be shown to whoever wrote it. */
export class FileSyntaxError extends Error {
  override readonly name = 'FileSyntaxError'
}

/**
 * Spreadsheets run a value that begins so as a formula, and what a remote server wrote can stand in a reason. Such a
 * value gets an apostrophe in front, and so does one that would be taken for the result: reading takes one away from
 * whatever begins like that, and has every value back as it was.
 */
const FORMULA = /^'*[=+\-@\t\r]/
const SHIELDED = /^'+[=+\-@\t\r]/

/** Writes a record with its line end; values are quoted where they must be. {@link parseCsv} is the inverse. */
export function formatCsvRecord(values: readonly string[]): string {
  return `${values.map((value) => quoted(FORMULA.test(value) ? `'${value}` : value)).join(',')}\r\n`
}

/**
 * Reads records with any line ends, without those that are blank. A quote within a value that does not begin with one
 * stands for itself, so that `"a b"@example.org` may stand alone on a line. Throws {@link FileSyntaxError}.
 */
export function parseCsv(text: string): readonly CsvRecord[] {
  const records: CsvRecord[] = []
  try {
    // The parser counts a CRLF within quotes as two lines.
    parse(text.replace(/\r\n?/g, '\n'), {
      recordDelimiter: '\n',
      relaxColumnCount: true,
      relaxQuotes: true,
      skipRecordsWithEmptyValues: true,
      maxRecordSize: 0,
      onRecord: (values: string[], { lines }) => {
        records.push({ line: lines, values: values.map(unshielded) })
        return null
      },
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new FileSyntaxError(`a quoted value after line ${records.at(-1)?.line ?? 0} does not end`)
  }
  return records
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

function unshielded(value: string): string {
  return SHIELDED.test(value) ? value.slice(1) : value
}
