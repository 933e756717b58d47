import { moveDate } from './moved-date.ts'
import { moveTimers } from './moved-timers.ts'

/** Has all code of this thread that is loaded from now on live by the local clock's shared offset. */
export function followClock(shared: SharedArrayBuffer): void {
  const cell = new BigInt64Array(shared)
  const offsetMs = () => Number(Atomics.load(cell, 0))
  moveDate(offsetMs)
  void fireOnMoves(cell, moveTimers(offsetMs))
}

async function fireOnMoves(cell: BigInt64Array, fireDue: () => void): Promise<void> {
  for (;;) {
    const seen = Atomics.load(cell, 0)
    fireDue()
    await Atomics.waitAsync(cell, 0, seen).value
  }
}
