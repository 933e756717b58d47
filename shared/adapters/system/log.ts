import type { Log, LogFields } from '../../base/log.ts'

/** One JSON object per line on standard output, as CloudWatch and people with jq read it. */
export const jsonLog: Log = {
  info: (event, fields) => write('info', event, fields),
  warn: (event, fields) => write('warn', event, fields),
  error: (event, error, fields) =>
    write('error', event, {
      ...fields,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
}

function write(level: string, event: string, fields?: LogFields): void {
  console.log(JSON.stringify({ level, event, ...fields }))
}
