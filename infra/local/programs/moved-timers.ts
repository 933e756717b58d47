import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import { promisify } from 'node:util'

type Callback = (...args: unknown[]) => unknown
type StartTimer = (callback: Callback, delayMs?: number, ...args: unknown[]) => NodeJS.Timeout

/** A timer of this length or longer, in milliseconds, is worth being fired early. */
const LONG_MS = 1_000
/** Node.js fires at once what is longer. */
const LONGEST_MS = 2 ** 31 - 1

/** A long timer that waits. */
interface Pending {
  /** On the clock of {@link moveTimers}. */
  dueAt: number
  fireEarly(): void
}

/**
 * Has the `setTimeout` and `setInterval` of this thread fire when their time has passed on a clock that is
 * `offsetMs()` ahead; the result is to be called after each move. Timers below a second, `AbortSignal.timeout`,
 * `node:timers/promises` and what Node.js times itself, such as idle sockets, stay with the machine's time.
 */
export function moveTimers(offsetMs: () => number): () => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = timers
  const pending = new Map<number, Pending>()
  const time = () => performance.now() + offsetMs()
  let alarm: NodeJS.Timeout | undefined

  function wait(start: StartTimer, callback: Callback, delayMs: number, args: unknown[]) {
    const repeats = start === setInterval
    const run = () => {
      if (repeats) entry.dueAt = time() + delayMs
      else pending.delete(id)
      callback.apply(timer, args)
    }
    const timer = start(run, delayMs)
    const id = Number(timer)
    const { refresh } = timer
    const entry: Pending = {
      dueAt: time() + delayMs,
      fireEarly() {
        if (repeats) refresh.call(timer)
        else clearTimeout(timer)
        run()
      },
    }
    pending.set(id, entry)
    const clear = () => forget(clearTimeout, timer)
    return Object.assign(timer, {
      refresh() {
        entry.dueAt = time() + delayMs
        pending.set(id, entry)
        return refresh.call(timer)
      },
      close() {
        clear()
        return timer
      },
      [Symbol.dispose]: clear,
    })
  }

  function forget(clear: typeof clearTimeout, timer: Parameters<typeof clearTimeout>[0]): void {
    pending.delete(Number(timer))
    clear(timer)
  }

  function moved(start: StartTimer) {
    return (callback: Callback, delay?: number, ...args: unknown[]): NodeJS.Timeout => {
      const delayMs = Number(delay)
      const isLong = delayMs >= LONG_MS && delayMs <= LONGEST_MS && typeof callback === 'function'
      return isLong ? wait(start, callback, delayMs, args) : start(callback, delay, ...args)
    }
  }

  function fireDue(): void {
    clearTimeout(alarm)
    const waiting = [...pending].sort(([, a], [, b]) => a.dueAt - b.dueAt)
    const isDue = (entry: Pending) => entry.dueAt <= time()
    for (const [id, entry] of waiting) {
      if (!isDue(entry)) {
        // Its own timer counts from before the move, and would be late.
        alarm = setTimeout(fireDue, entry.dueAt - time()).unref()
        break
      }
      // Each in a turn of its own, as timers are: one that throws, or clears another, is no matter to the rest.
      setImmediate(() => {
        if (pending.get(id) === entry && isDue(entry)) entry.fireEarly()
      })
    }
  }

  const replaced = {
    setTimeout: Object.assign(moved(setTimeout), { [promisify.custom]: promisify(setTimeout) }),
    clearTimeout: (timer: Parameters<typeof clearTimeout>[0]) => forget(clearTimeout, timer),
    setInterval: moved(setInterval),
    clearInterval: (timer: Parameters<typeof clearInterval>[0]) => forget(clearInterval, timer),
  }
  Object.assign(globalThis, replaced)
  Object.assign(timers, replaced)
  syncBuiltinESMExports()
  return fireDue
}
