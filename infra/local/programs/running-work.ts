/** Counts what runs at this moment. */
export interface RunningWork {
  /** Does a piece of work, which counts until it ends. */
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** Resolves when nothing runs, or after `limitMs`. */
  untilQuiet(limitMs: number): Promise<void>
}

/** Nothing runs yet. */
export function countWork(): RunningWork {
  let running = 0
  const waiting = new Set<() => void>()
  return {
    async run(work) {
      running += 1
      try {
        return await work()
      } finally {
        running -= 1
        if (running === 0) for (const resolve of waiting) resolve()
      }
    },
    async untilQuiet(limitMs) {
      if (running === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, limitMs)
      waiting.add(resolve)
      await promise
      waiting.delete(resolve)
      clearTimeout(timer)
    },
  }
}
