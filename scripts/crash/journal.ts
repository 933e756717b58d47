import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'

/** A file of JSON lines that only grows. */
export interface Journal {
  /** When this returns the line is on disk. */
  append(entry: object): void
  close(): void
}

/** Opens a journal, which may have lines from before. */
export function openJournal(file: string): Journal {
  const descriptor = openSync(file, 'a', 0o600)
  return {
    append: (entry) => {
      writeSync(descriptor, `${JSON.stringify(entry)}\n`)
      fsyncSync(descriptor)
    },
    close: () => closeSync(descriptor),
  }
}
