import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Takes the data directory for this process and returns what gives it back. The lock is one of the operating system
 * (SQLite's own), so it ends with the process however that ends. Throws when another process has it.
 */
export function lockDirectory(directory: string): () => void {
  const database = new DatabaseSync(join(directory, 'lock.sqlite'))
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw new Error(`Another process uses the data directory ${directory}; stop it first.`, { cause: error })
  }
  return () => database.close()
}
