/** A report that cannot be kept; the message is for a header field: ASCII, and nothing of what came in. */
export class ReportError extends Error {
  override readonly name = 'ReportError'
}

/** What was attached is no report of that kind. */
export function unreadable(why: string, what = 'report'): ReportError {
  return new ReportError(`could not parse ${what} (${why})`)
}
