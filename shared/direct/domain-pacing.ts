import { type Clock, type Instant, MINUTE, SECOND } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Admission, Pacing } from '../queue/pacing.ts'
import type { DeliveryOutcome } from '../queue/transport.ts'
import { TurnTimetable } from './turn-timetable.ts'

/** How many transactions a domain has at a time: it begins with few, and earns more. */
const FIRST_MOST = 5
const GREATEST_MOST = 20

const FIRST_PAUSE_MS = MINUTE
const LONGEST_PAUSE_MS = 15 * MINUTE

/** What a transaction takes, before one was seen. */
const USUAL_TURN_MS = SECOND
/** SQS delays by whole seconds. */
const SOONEST_MS = SECOND
/** Within what a hint can wait for. */
const LATEST_MS = 14 * MINUTE

/** So many of a domain may wait here, and so long; they keep those that come next from being put off too fast. */
const MOST_WAITING = 75
const LONGEST_WAIT_MS = SECOND
/** Only for turns that seem to be nearer than this, as far as anybody knows. */
const NEAR_MS = 4 * SECOND

/**
 * So many times more come back than there seem to be turns: who comes too early is told another time, while a place that
 * nobody comes for is lost.
 */
const OVERBOOKING = 2

/** Of so many domains, those that nothing is going on with are forgotten. */
const MANY_DOMAINS = 10_000

/** How a domain fares. */
interface Pace {
  /** When each transaction that runs began, the first one first. */
  readonly running: Set<{ readonly begunAt: Instant }>
  /** Call those that wait for a place here, the first one first. */
  readonly waiting: Set<() => void>
  most: number
  /** Moving average. */
  turnMs: number
  /** When those that are put off come back. */
  readonly timetable: TurnTimetable
  pausedUntil: Instant
  /** The last pause; 0 after a success. */
  pauseMs: number
  /** How often it was slowed down. */
  setbacks: number
}

interface PacingPorts {
  readonly clock: Clock
  readonly random: Random
  /** Waits for so many milliseconds, or until the signal says that nobody is interested any more. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/**
 * Spares the servers of each recipient domain, and this process: a domain that is slow or fails takes few of the places
 * that all share. A success allows one transaction more at a time; a failed session halves them and makes a pause, from
 * one minute to fifteen, as do replies that ask for patience. Who gets no turn waits where it comes soon; others are told
 * a time of their own, by how long transactions take. What is known of domains is lost with the process.
 */
export function domainPacing({ clock, random, wait }: PacingPorts): Pacing {
  const domains = new Map<string, Pace>()
  return {
    async admit(_transport, messages) {
      const pace = paceOf(domains, messages[0]?.recipient.domain ?? '', clock.now())
      if (!hasPlace(pace, clock.now()) && isTurnNear(pace, clock.now())) await untilTurn(pace, wait)
      const now = clock.now()
      return hasPlace(pace, now) ? begin(pace, clock) : { kind: 'later', at: nextTurn(pace, now, random) }
    },
  }
}

function hasPlace({ running, most, pausedUntil }: Pace, now: Instant): boolean {
  return running.size < most && pausedUntil <= now
}

function begin(pace: Pace, clock: Clock): Admission {
  const turn = { begunAt: clock.now() }
  const { setbacks } = pace
  pace.running.add(turn)
  return {
    kind: 'go',
    ended(outcomes) {
      if (!pace.running.delete(turn)) return
      const now = clock.now()
      if (outcomes.length > 0) {
        pace.turnMs += (now - turn.begunAt - pace.turnMs) / 8
        // What began before the last setback says nothing that is newer.
        if (setbacks === pace.setbacks) learn(pace, outcomes, now)
      }
      wake(pace, now)
    },
  }
}

/** Few wait, and only for domains that are quick: they keep places from others meanwhile. */
function isTurnNear(pace: Pace, now: Instant): boolean {
  if (pace.pausedUntil > now || pace.waiting.size >= MOST_WAITING) return false
  return ((pace.waiting.size + 1) * turnMsOf(pace, now)) / pace.most <= NEAR_MS
}

async function untilTurn({ waiting }: Pace, wait: PacingPorts['wait']): Promise<void> {
  const turn = Promise.withResolvers<void>()
  const timer = new AbortController()
  waiting.add(turn.resolve)
  await Promise.race([turn.promise, wait(LONGEST_WAIT_MS, timer.signal)])
  waiting.delete(turn.resolve)
  timer.abort()
}

/** As many as there are places now; all of them at a pause, to be put off. */
function wake({ waiting, running, most, pausedUntil }: Pace, now: Instant): void {
  const places = pausedUntil > now ? waiting.size : most - running.size
  for (const go of [...waiting].slice(0, Math.max(0, places))) {
    waiting.delete(go)
    go()
  }
}

function paceOf(domains: Map<string, Pace>, domain: string, now: Instant): Pace {
  const known = domains.get(domain)
  if (known) return known
  if (domains.size >= MANY_DOMAINS) {
    for (const [name, { running, waiting, pausedUntil }] of domains) {
      if (running.size + waiting.size === 0 && pausedUntil <= now) domains.delete(name)
    }
  }
  const pace: Pace = {
    running: new Set(),
    waiting: new Set(),
    most: FIRST_MOST,
    turnMs: USUAL_TURN_MS,
    timetable: new TurnTimetable(),
    pausedUntil: 0,
    pauseMs: 0,
    setbacks: 0,
  }
  domains.set(domain, pace)
  return pace
}

/** What a transaction takes; one that hangs tells before it is over. */
function turnMsOf({ turnMs, running }: Pace, now: Instant): number {
  const [oldest] = running
  return Math.max(turnMs, oldest ? now - oldest.begunAt : 0)
}

/** A time of its own for each, as far apart as places become free. */
function nextTurn(pace: Pace, now: Instant, random: Random): Instant {
  const from = Math.max(now + SOONEST_MS, pace.pausedUntil)
  // A domain that was never slowed down will soon have all places.
  const places = pace.setbacks === 0 ? GREATEST_MOST : pace.most
  const at = pace.timetable.give(from, from + LATEST_MS, turnMsOf(pace, now) / places / OVERBOOKING)
  // Beyond that the queue is so long that places are a matter of luck.
  return at ?? Math.round(from + LATEST_MS * (0.5 + random.fraction() / 2))
}

function learn(pace: Pace, outcomes: readonly DeliveryOutcome[], now: Instant): void {
  if (outcomes.some(({ kind }) => kind === 'accepted')) {
    pace.pauseMs = 0
    pace.pausedUntil = 0
    pace.most = Math.min(GREATEST_MOST, pace.most + 1)
    return
  }
  if (!outcomes.some(isSetback)) return
  pace.setbacks += 1
  pace.most = Math.max(1, Math.floor(pace.most / 2))
  pace.pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pace.pauseMs || FIRST_PAUSE_MS)
  pace.pausedUntil = now + pace.pauseMs
}

/**
 * No session, one that the server ended (RFC 5321 §3.8), or a refusal by its policy for now (RFC 3463 §3.8). A message
 * that needs what the servers do not have (4.6.7) says nothing of the others.
 */
function isSetback({ kind, code, enhancedCode }: DeliveryOutcome): boolean {
  if (kind !== 'temporary') return false
  return (code === 0 && enhancedCode === '') || code === 421 || enhancedCode.startsWith('4.7.')
}
