import { HOUR } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { wait } from './clock.ts'

/** Does something now and each hour from then on, until the signal; what fails is logged, and done again an hour later. */
export async function everyHour(doing: string, run: () => Promise<unknown>, log: Log, signal: AbortSignal) {
  while (!signal.aborted) {
    await run().catch((error: unknown) => log.error(`${doing} failed`, error))
    await wait(HOUR, signal)
  }
}
