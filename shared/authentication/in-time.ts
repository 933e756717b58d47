import type { Log } from '../base/log.ts'

/** What bounds a check, and who hears of its faults. */
export interface TimePorts {
  readonly log: Log
  /** Resolves after that time, or early when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>
}

/** RFC 7208 §4.6.4 asks for at least 20 seconds. */
export const LONGEST_MS = 20_000

/**
 * What a check comes to; `otherwise`, with the problem, when it takes too long or throws: our faults must not lose
 * mail, and are logged under the check's name.
 */
export async function inTime<Result>(
  { log, wait }: TimePorts,
  check: string,
  carryOut: () => Promise<Result>,
  otherwise: (problem: string) => Result,
  longestMs = LONGEST_MS,
): Promise<Result> {
  const done = new AbortController()
  const tooLate = () => wait(longestMs, done.signal).then(() => otherwise('took too long'))
  try {
    return await Promise.race([carryOut(), tooLate()])
  } catch (error) {
    log.error('authentication of a message failed', error, { check })
    return otherwise('internal error')
  } finally {
    done.abort()
  }
}
