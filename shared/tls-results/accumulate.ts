import { type Clock, SECOND } from '../base/clock.ts'
import { inGroups } from '../base/in-groups.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { byDayResults, type DayResults, dayOf, mergeDays } from './day-results.ts'
import type { ResultsStore } from './results-store.ts'
import type { TlsResults } from './tls-results.ts'

interface AccumulatePorts {
  readonly store: Pick<ResultsStore, 'add'>
  readonly clock: Clock
  readonly random: Random
  readonly wait: (milliseconds: number) => Promise<void>
  readonly log: Log
}

/** Results that a process collects. */
export interface AccumulatedTlsResults extends TlsResults {
  /** Writes what was collected, at the end of the process; resolves when all is written or given up. Never throws. */
  flush(): Promise<void>
}

const FLUSH_MS = 10 * SECOND
const AT_ONCE = 8
/** Rows that wait; more come only while nothing can be written. */
const MOST_ROWS = 5_000

/**
 * Collects results in memory and writes them ten seconds after the first: a write for each message would double what
 * a delivery costs. A process that dies loses what it counted in these seconds, and no more than counts.
 */
export function accumulateTlsResults(ports: AccumulatePorts): AccumulatedTlsResults {
  const { store, clock, random, wait, log } = ports
  /** By the name of the row. */
  let collected = new Map<string, DayResults>()
  /** What could not be written yet, under the ids of the first tries: one that seemed to fail may have written. */
  let unwritten = new Map<string, DayResults>()
  let isWaiting = false
  let flushing = Promise.resolve()

  function collect(row: DayResults): void {
    const name = [row.day, row.recipientDomain, row.policyDomain].join(' ')
    const known = collected.get(name)
    if (!known && collected.size + unwritten.size >= MOST_ROWS) {
      log.warn('TLS result not counted: too many cannot be written', { recipientDomain: row.recipientDomain })
      return
    }
    collected.set(name, known ? mergeDays(known, row) : row)
  }

  async function write([id, row]: readonly [string, DayResults]): Promise<void> {
    try {
      await store.add(row, id)
    } catch (error) {
      unwritten.set(id, row)
      log.error('TLS results not written', error, { recipientDomain: row.recipientDomain })
    }
  }

  async function flushNow(): Promise<void> {
    const newId = () => Buffer.from(random.bytes(12)).toString('base64url')
    const rows = [...unwritten, ...[...collected.values()].map((row) => [newId(), row] as const)]
    unwritten = new Map()
    collected = new Map()
    await inGroups(rows, AT_ONCE, write)
  }

  async function flush(): Promise<void> {
    // One after the other, so that no row is written twice at a time.
    flushing = flushing.then(flushNow)
    await flushing
  }

  async function flushLater(): Promise<void> {
    if (isWaiting || collected.size + unwritten.size === 0) return
    isWaiting = true
    await wait(FLUSH_MS)
    isWaiting = false
    await flush()
    await flushLater()
  }

  return {
    async note(results) {
      for (const row of byDayResults(results, dayOf(clock.now()))) collect(row)
      void flushLater()
    },
    flush,
  }
}
