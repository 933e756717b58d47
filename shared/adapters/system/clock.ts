import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() }

/** Waits, or ends early when the signal says that nobody is interested any more. */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, signal ? { signal } : {}).catch(() => {})
}
