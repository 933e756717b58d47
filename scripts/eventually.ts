import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `probe` answers something, asking every 20 ms; fails with `what` when it takes longer. */
export async function eventually<Found>(
  what: string,
  probe: () => Promise<Found | undefined | false> | Found | undefined | false,
  withinMs = 10_000,
): Promise<Found> {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    const found = await probe()
    if (found) return found
    await sleep(20)
  }
  throw new Error(`not within ${withinMs} ms: ${what}`)
}
