import { type Clock, DAY, type Instant, MINUTE, SECOND } from '../base/clock.ts'
import { type ClientNetworks, clientNetworks } from './client-networks.ts'
import type { CounterName, CounterStore } from './counter-store.ts'

/** Limits how often a client, and the networks around it, may fail to log in. */
export interface LoginLimiter {
  /** To be asked before a password is verified. Undefined for what is no IP address. */
  admit(clientIp: string): Promise<Admission | undefined>
}

/** Whether a login may be tried; afterwards its end is to be told, unless it ended by a fault of ours. */
export type Admission =
  | { readonly kind: 'refused'; readonly retryAfterSeconds: number }
  | { readonly kind: 'admitted'; failed(): Promise<void>; succeeded(): Promise<void> }

/** Failures in a window of time (it begins with the UTC minute or day), by network from narrow to wide (mox's numbers). */
const WINDOWS = [
  { name: 'minute', lengthMs: MINUTE, most: [10, 30, 90] },
  { name: 'day', lengthMs: DAY, most: [50, 150, 450] },
] as const

/** How long a network is believed to have no failures. */
const BELIEVED_MS = 10 * SECOND
const MOST_BELIEVED = 1000

/**
 * Counts failures in a store that all functions share. A client in whose widest network nobody fails costs one
 * read every ten seconds, and no write.
 */
export function loginLimiter(ports: {
  readonly counters: CounterStore
  readonly clock: Clock
}): LoginLimiter {
  const { counters, clock } = ports
  const cleanUntil = new Map<string, Instant>()

  async function isClean(networks: ClientNetworks, now: Instant): Promise<boolean> {
    const [, , wide] = networks
    if ((cleanUntil.get(wide) ?? 0) > now) return true
    // The widest network's day holds every failure that any of the counters holds.
    const day = countersOf(networks, now).at(-1)
    const [failures] = day ? await counters.read([day.name]) : []
    if (failures !== 0) return false
    if (cleanUntil.size >= MOST_BELIEVED) cleanUntil.clear()
    cleanUntil.set(wide, now + BELIEVED_MS)
    return true
  }

  return {
    async admit(clientIp) {
      const networks = clientNetworks(clientIp)
      if (!networks) return undefined
      const now = clock.now()
      const all = countersOf(networks, now)
      const counts = (await isClean(networks, now)) ? [] : await counters.read(all.map(({ name }) => name))
      const full = all.filter(({ most }, place) => (counts[place] ?? 0) >= most)
      if (full.length > 0) {
        const endsAt = Math.max(...full.map((counter) => counter.endsAt))
        return { kind: 'refused', retryAfterSeconds: Math.ceil((endsAt - now) / SECOND) }
      }
      return {
        kind: 'admitted',
        async failed() {
          cleanUntil.delete(networks[2])
          await Promise.all(all.map(({ name, endsAt }) => counters.add(name, 1, endsAt)))
        },
        succeeded: () => forgive(counters, all, counts),
      }
    },
  }
}

/** Takes the client's own failures away from it and from the networks around it. */
async function forgive(
  counters: CounterStore,
  all: readonly LoginCounter[],
  counts: readonly number[],
): Promise<void> {
  const own = all.flatMap((counter, place) => (counter.isOwn ? [{ counter, count: counts[place] ?? 0 }] : []))
  await Promise.all(
    own.map(async ({ counter, count }) => {
      if (count === 0 || !(await counters.reset(counter.name, count))) return
      const around = all.filter(({ window, isOwn }) => window === counter.window && !isOwn)
      await Promise.all(around.map(({ name, endsAt }) => counters.add(name, -count, endsAt)))
    }),
  )
}

interface LoginCounter {
  readonly name: CounterName
  readonly window: string
  /** Of the client itself, not of a network around it. */
  readonly isOwn: boolean
  readonly most: number
  readonly endsAt: Instant
}

/** By window, and by network from narrow to wide. */
function countersOf(networks: ClientNetworks, now: Instant): readonly LoginCounter[] {
  return WINDOWS.flatMap(({ name: window, lengthMs, most }) => {
    const since = now - (now % lengthMs)
    return networks.map((network, width) => ({
      name: { subject: `login#${window}#${network}`, since },
      window,
      isOwn: width === 0,
      most: most[width] ?? 0,
      endsAt: since + lengthMs,
    }))
  })
}
