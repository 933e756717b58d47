import { setTimeout as sleep } from 'node:timers/promises'
import type { SmtpSink } from '../../labs/smtp-sink-lab.ts'

const ASKED_EVERY_MS = 10
const PROGRESS_EVERY_MS = 10_000
/** Longer than a lost hint is waited for. */
const STUCK_MS = 180_000

/** Waits until the sink has taken so many more; the seconds from the first to the last. Throws when none come. */
export async function secondsToTake(sink: SmtpSink, before: number, messages: number): Promise<number> {
  let taken = 0
  let seenMs = performance.now()
  let shownMs = seenMs
  let firstMs = 0
  while (taken < messages) {
    await sleep(ASKED_EVERY_MS)
    const now = performance.now()
    const counted = sink.taken() - before
    if (counted > taken) seenMs = now
    if (taken === 0 && counted > 0) firstMs = now
    taken = counted
    if (now - shownMs > PROGRESS_EVERY_MS) {
      shownMs = now
      console.error(`${taken} of ${messages} delivered`)
    }
    if (now - seenMs > STUCK_MS) throw new Error(`${taken} of ${messages} came, and none for a long time`)
  }
  return (seenMs - firstMs) / 1000
}
