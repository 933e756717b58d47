/** What a log line may carry; text fields are written as JSON, so that no CR or LF can forge a line. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Where log lines go. `event` is a short fixed phrase; everything that varies is a field. */
export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  /** For bugs and faults of our own; the error's stack goes to the log, never to a peer. */
  error(event: string, error: unknown, fields?: LogFields): void
}
