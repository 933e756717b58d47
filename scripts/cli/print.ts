/** One row of a table: a text per column. */
export type Row = readonly string[]

/** A heading and one line per row, columns side by side; `(none)` where there are no rows. */
export function table(heading: Row, rows: readonly Row[]): string {
  if (rows.length === 0) return '(none)'
  const lines = [heading, ...rows].map((row) => row.map(printable))
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One line per field. */
export function fields(named: Readonly<Record<string, string>>): string {
  const entries = Object.entries(named)
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries
    .map(([name, value]) => `${`${name}:`.padEnd(width + 1)}  ${printable(value)}`.trimEnd())
    .join('\n')
}

/** Subjects and remote error texts come from strangers: no escape sequence of theirs may reach the terminal. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+/g, ' ')
}
