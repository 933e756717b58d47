import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The time of everything that runs here: the machine's, or ahead of it by an offset that only grows. Stored ids and
 * times would run backwards if it shrank, so it lies with the data.
 */
export interface LocalClock {
  /** Milliseconds since 1970. */
  now(): number
  /** How far ahead of the machine's clock, in milliseconds. */
  offsetMs(): number
  /** The offset for worker threads: a BigInt64, whose waiters are notified of every move ({@link Atomics.waitAsync}). */
  readonly shared: SharedArrayBuffer
  /**
   * Moves time forward, when what runs at this moment has come to its end; resolves when every listener is through.
   * Throws RangeError for anything but whole milliseconds of at least 1, and beyond ten years altogether.
   */
  advance(milliseconds: number): Promise<void>
  /** Has `listener`, which must not fail, called after every move; the result takes it away. */
  onMove(listener: () => unknown): () => void
}

/** Enough for every expiry, and far from where dates end. */
const FARTHEST_MS = 10 * 365 * 24 * 3_600_000

/** Opens the clock of a data directory. A move waits for `untilQuiet` first. */
export function openClock(directory: string, untilQuiet: () => Promise<unknown>): LocalClock {
  const file = join(directory, 'clock.json')
  const listeners = new Set<() => unknown>()
  const shared = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
  const cell = new BigInt64Array(shared)
  const offsetMs = () => Number(Atomics.load(cell, 0))
  const check = (milliseconds: number) => {
    if (!(Number.isSafeInteger(milliseconds) && milliseconds >= 1)) {
      throw new RangeError('time moves forward by whole milliseconds, at least 1')
    }
    if (offsetMs() + milliseconds <= FARTHEST_MS) return
    throw new RangeError('time moves forward by at most ten years altogether')
  }
  Atomics.store(cell, 0, BigInt(readOffset(file)))
  return {
    now: () => Date.now() + offsetMs(),
    offsetMs,
    shared,
    async advance(milliseconds) {
      check(milliseconds)
      await untilQuiet()
      check(milliseconds)
      const moved = offsetMs() + milliseconds
      // First on disk: nobody may have seen a time that a restart would take back.
      writeOffset(file, moved)
      Atomics.store(cell, 0, BigInt(moved))
      Atomics.notify(cell, 0)
      await Promise.all([...listeners].map((listener) => listener()))
    },
    onMove(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function readOffset(file: string): number {
  const text = readIfThere(file)
  if (text === undefined) return 0
  const offsetMs = Number(/^\{"offsetMs":(\d{1,15})\}$/.exec(text)?.[1])
  if (offsetMs <= FARTHEST_MS) return offsetMs
  throw new Error(`${file} does not tell how far the clock was moved, as {"offsetMs":28800000}`)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function writeOffset(file: string, offsetMs: number): void {
  writeFileSync(`${file}.new`, JSON.stringify({ offsetMs }), { flush: true, mode: 0o600 })
  renameSync(`${file}.new`, file)
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
