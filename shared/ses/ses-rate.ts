import { type Clock, type Instant, MINUTE, SECOND } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { SesClient, SesQuota } from './ses-client.ts'

/** What all workers share. Turns follow one another at even distances, as in the generic cell rate algorithm. */
export interface SesRateState {
  /** The next turn that nobody has taken; past, where nobody wanted one. */
  readonly turnAt: Instant
  /** The next time that nobody was told to come back at. */
  readonly returnAt: Instant
  /** As SES said last. */
  readonly quota?: SesQuota & { readonly readAt: Instant }
}

/** Port: the turns of all workers. */
export interface SesRateStore {
  read(): Promise<SesRateState>
  /** Moves one of them to `byMs` after what it was, or after `from` if it was earlier; answers where it is then. */
  advance(which: 'turnAt' | 'returnAt', from: Instant, byMs: number): Promise<Instant>
  /** Nobody takes a turn before `until`. */
  pause(until: Instant): Promise<void>
  /** Keeps what SES said, unless somebody has asked it later. */
  keepQuota(quota: SesQuota, readAt: Instant): Promise<void>
}

/** When a message could go. */
type SesProspect =
  | { readonly kind: 'turn'; readonly at: Instant; readonly everyMs: number }
  /** SES takes nothing of the account until then, at least. */
  | { readonly kind: 'stopped'; readonly until: Instant }

/** The rate that SES grants the account, among all workers. */
export interface SesRate {
  /** When the next turn is, without taking it. */
  prospect(): Promise<SesProspect>
  /** Takes a turn: the call is to be made then, and not later. */
  takeTurn(): Promise<Instant>
  /** A time to come back at with so many messages, which others are not told. */
  comeBack(messages: number): Promise<Instant>
  pause(until: Instant): Promise<void>
}

/** Two clocks never agree, and SES counts by a third one. */
const SHARE = 0.975
/** Who was told to come back comes a little too early, so that no turn is left. */
const RETURN_HASTE = 1.1
/** A turn is taken by a write, which takes time. */
const LEAD_MS = 50
/** How much a process takes at once, at least one turn. */
const TAKEN_AHEAD_MS = 100
/** Messages a second, where SES says that it takes none. */
const SLOWEST_RATE = 0.01
const QUOTA_KEPT = 5 * MINUTE
const QUOTA_JITTER = MINUTE
const QUOTA_ASKED_AGAIN = 30 * SECOND
/** What was read may be told again for so long. */
const STATE_KEPT_MS = 200
/** How far ahead a turn may be that is waited for. */
export const NEAR_MS = 2 * SECOND

interface RatePorts {
  readonly store: SesRateStore
  readonly client: Pick<SesClient, 'quota'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly wait: (milliseconds: number) => Promise<void>
}

/** The turns of this process. */
export function sesRate(ports: RatePorts): SesRate {
  const { store, clock } = ports
  const quotaOf = quotaReader(ports)
  let known: { readonly state: Promise<SesRateState>; readonly at: Instant } | undefined

  async function look(): Promise<SesRateState> {
    if (!known || clock.now() - known.at > STATE_KEPT_MS) {
      const state = store.read()
      known = { state, at: clock.now() }
      state.catch(() => {
        known = undefined
      })
    }
    return await known.state
  }

  async function everyMs(): Promise<number> {
    const { maxSendRate } = await quotaOf(await look())
    // In whole microseconds, as they are written down.
    return Math.ceil((1000 * SECOND) / (SHARE * Math.max(maxSendRate, SLOWEST_RATE))) / 1000
  }

  return {
    async prospect() {
      const state = await look()
      const quota = await quotaOf(state)
      const now = clock.now()
      if (!maySend(quota)) return { kind: 'stopped', until: now + QUOTA_KEPT }
      return { kind: 'turn', at: Math.max(now, state.turnAt), everyMs: await everyMs() }
    },
    takeTurn: taker(ports, everyMs),
    async comeBack(messages) {
      const { turnAt } = await look()
      const waitMs = (messages * (await everyMs())) / RETURN_HASTE
      return (await store.advance('returnAt', Math.max(turnAt, clock.now() + NEAR_MS), waitMs)) - waitMs
    },
    pause: (until) => store.pause(until),
  }
}

/**
 * Takes the turns that are wanted with one write, and gives them out in order. It takes few ahead, and the next when
 * those are over: the turns that a process has when it dies are nobody's.
 */
function taker({ store, clock, wait }: RatePorts, everyMs: () => Promise<number>): () => Promise<Instant> {
  const wanted: PromiseWithResolvers<Instant>[] = []
  let isTaking = false

  async function take(every: number, served: readonly PromiseWithResolvers<Instant>[]): Promise<Instant> {
    const end = await store.advance('turnAt', clock.now() + LEAD_MS, served.length * every)
    for (const [place, turn] of served.entries()) turn.resolve(end - (served.length - place) * every)
    return end - every
  }

  async function takeAll(): Promise<void> {
    while (wanted.length > 0) {
      let served: readonly PromiseWithResolvers<Instant>[] = wanted
      try {
        const every = await everyMs()
        served = wanted.splice(0, Math.ceil(TAKEN_AHEAD_MS / every))
        const lastTurnAt = await take(every, served)
        await wait(Math.max(0, lastTurnAt - TAKEN_AHEAD_MS - clock.now()))
      } catch (error) {
        for (const turn of served) turn.reject(error)
        if (served === wanted) wanted.length = 0
      }
    }
    isTaking = false
  }

  return () => {
    const turn = Promise.withResolvers<Instant>()
    wanted.push(turn)
    if (!isTaking) {
      isTaking = true
      void takeAll()
    }
    return turn.promise
  }
}

/** What SES grants: as the others know it, or asked of SES, by one of all, every few minutes. */
function quotaReader({ store, client, clock, random, log }: RatePorts) {
  let own: SesRateState['quota']
  let asking: Promise<SesQuota> | undefined
  let keptMs = QUOTA_KEPT + random.fraction() * QUOTA_JITTER
  let notBefore = 0

  async function ask(): Promise<SesQuota> {
    const readAt = clock.now()
    const quota = await client.quota()
    own = { ...quota, readAt }
    await store.keepQuota(quota, readAt)
    keptMs = QUOTA_KEPT + random.fraction() * QUOTA_JITTER
    return quota
  }

  return async ({ quota: shared }: SesRateState): Promise<SesQuota> => {
    const now = clock.now()
    const known = own && own.readAt > (shared?.readAt ?? 0) ? own : shared
    if (known && (now - known.readAt < keptMs || now < notBefore)) return known
    asking ??= ask().finally(() => {
      asking = undefined
    })
    try {
      return await asking
    } catch (error) {
      if (!known) throw error
      log.warn('SES does not say what it grants; going on with what it said before')
      notBefore = now + QUOTA_ASKED_AGAIN
      return known
    }
  }
}

function maySend({ maySend: isOn, maxSendRate, max24HourSend, sentLast24Hours }: SesQuota): boolean {
  return isOn && maxSendRate > 0 && (max24HourSend < 0 || sentLast24Hours < max24HourSend)
}
