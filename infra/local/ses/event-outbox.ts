import { seededChance, seededDraws } from '../gateway/faults-random.ts'
import type { JsonObject } from '../gateway/json-service.ts'
import type { SesSettings } from './settings.ts'
import type { SesStore } from './store.ts'

/** Hands an event to EventBridge. */
export type Publish = (event: JsonObject) => Promise<void>

/** Events on their way out; they lie in the store until they are published. */
export interface EventOutbox {
  /** To be called with whom events go to; until then they wait. */
  publishTo(publish: Publish): void
  /** To be called when there may be new events, or time was moved. */
  wake(): void
  close(): void
}

const RETRY_MS = 1_000

/** Publishes what is due, one after the other. */
export function openEventOutbox(
  store: SesStore,
  now: () => number,
  onLog: (line: string) => void,
): EventOutbox {
  let publish: Publish | undefined
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isClosed = false
  const plan = (notBefore = 0) => {
    clearTimeout(timer)
    const next = isClosed ? undefined : store.nextEventAt()
    if (next === undefined) return
    timer = setTimeout(run, Math.min(Math.max(notBefore, next - now(), 0), 2 ** 31 - 1))
  }
  const run = async () => {
    if (isRunning || isClosed || publish === undefined) return
    isRunning = true
    let waitMs = 0
    try {
      for (const { sequence, event } of store.dueEvents(now())) {
        await publish(event)
        if (isClosed) return
        store.removeEvent(sequence)
      }
    } catch (error) {
      waitMs = RETRY_MS
      if (!isClosed) onLog(`[ses] an event could not be published: ${error}`)
    } finally {
      isRunning = false
      plan(waitMs)
    }
  }
  return {
    publishTo(given) {
      publish = given
      plan()
    },
    wake: () => plan(),
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** What befalls the events of one mail on their way: when each comes, how often, and whether at all. */
export type Fate = (
  events: readonly JsonObject[],
  acceptedAt: number,
) => readonly { readonly dueAt: number; readonly event: JsonObject }[]

/** Draws it; the n-th mail after the settings were made fares the same in every run with the same seed. */
export function drawFates(settings: SesSettings): Fate {
  const { seed, eventsLateMs, eventsDoubled, eventsLost, eventsReversed } = settings
  const lateness = seededDraws(seed, 'late')
  const isDoubled = seededChance(seed, 'doubled', eventsDoubled)
  const isLost = seededChance(seed, 'lost', eventsLost)
  const isReversed = seededChance(seed, 'reversed', eventsReversed)
  const dueAfter = (acceptedAt: number) => acceptedAt + Math.floor(lateness() * eventsLateMs)
  return (events, acceptedAt) =>
    (isReversed() ? events.toReversed() : events).flatMap((event) => {
      const copies = isDoubled() ? [event, event] : [event]
      const due = copies.map((each) => ({ dueAt: dueAfter(acceptedAt), event: each }))
      return isLost() ? [] : due
    })
}
