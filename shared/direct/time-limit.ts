/** Resolves after that time, or early when the signal is aborted. */
export type Wait = (milliseconds: number, signal: AbortSignal) => Promise<void>

/** How long something may take. */
export interface TimeLimit {
  /** Aborted when the time is over. */
  readonly signal: AbortSignal
  /** The time does not matter any more. */
  clear(): void
}

/** Begins to count; the signal is aborted with `outer` as well. */
export function timeLimit(wait: Wait, milliseconds: number, outer?: AbortSignal): TimeLimit {
  const [over, cleared] = [new AbortController(), new AbortController()]
  void wait(milliseconds, cleared.signal).then(() => {
    if (!cleared.signal.aborted) over.abort()
  })
  const signal = outer ? AbortSignal.any([outer, over.signal]) : over.signal
  return { signal, clear: () => cleared.abort() }
}

/** What comes of the work; undefined where that comes too late. The work itself goes on unheard. */
export async function inTime<Result>(
  wait: Wait,
  milliseconds: number,
  outer: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (outer.aborted) return undefined
  const limit = timeLimit(wait, milliseconds, outer)
  try {
    return await Promise.race([work(), whenAborted(limit.signal)])
  } finally {
    limit.clear()
  }
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
