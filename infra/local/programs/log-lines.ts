import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** Calls `onLine` with every line that a process or worker prints. */
export function forEachLine(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine)
}
