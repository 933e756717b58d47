import { type Clock, type Instant, MINUTE, SECOND } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Pacing } from '../queue/pacing.ts'
import type { DeliveryOutcome } from '../queue/transport.ts'

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

/** Of so many domains, those that nothing is going on with are forgotten. */
const MANY_DOMAINS = 10_000

/** How a domain fares. */
interface Pace {
  /** When each transaction that runs began, the first one first. */
  readonly running: Set<{ readonly begunAt: Instant }>
  most: number
  /** Moving average. */
  turnMs: number
  /** When the next one that is put off may come. */
  nextTurnAt: Instant
  pausedUntil: Instant
  /** The last pause; 0 after a success. */
  pauseMs: number
  /** How often it was slowed down. */
  setbacks: number
}

/**
 * Spares the servers of each recipient domain, and this process: a domain that is slow or fails takes few of the places
 * that all share. A success allows one transaction more at a time; a failed session halves them and makes a pause, from
 * one minute to fifteen, as do replies that ask for patience. Who gets no turn is told one of its own, by how long the
 * others take. What is known of domains is lost with the process.
 */
export function domainPacing({ clock, random }: { readonly clock: Clock; readonly random: Random }): Pacing {
  const domains = new Map<string, Pace>()
  return {
    async admit(_transport, messages) {
      const now = clock.now()
      const pace = paceOf(domains, messages[0]?.recipient.domain ?? '', now)
      if (now < pace.pausedUntil || pace.running.size >= pace.most) {
        return { kind: 'later', at: nextTurn(pace, now, random) }
      }
      const turn = { begunAt: now }
      const { setbacks } = pace
      pace.running.add(turn)
      return {
        kind: 'go',
        ended(outcomes) {
          pace.running.delete(turn)
          if (outcomes.length === 0) return
          pace.turnMs += (clock.now() - now - pace.turnMs) / 8
          // What began before the last setback says nothing that is newer.
          if (setbacks === pace.setbacks) learn(pace, outcomes, clock.now())
        },
      }
    },
  }
}

function paceOf(domains: Map<string, Pace>, domain: string, now: Instant): Pace {
  const known = domains.get(domain)
  if (known) return known
  if (domains.size >= MANY_DOMAINS) {
    for (const [name, { running, pausedUntil }] of domains) {
      if (running.size === 0 && pausedUntil <= now) domains.delete(name)
    }
  }
  const pace: Pace = {
    running: new Set(),
    most: FIRST_MOST,
    turnMs: USUAL_TURN_MS,
    nextTurnAt: 0,
    pausedUntil: 0,
    pauseMs: 0,
    setbacks: 0,
  }
  domains.set(domain, pace)
  return pace
}

/** A time of its own for each, as far apart as places become free. */
function nextTurn(pace: Pace, now: Instant, random: Random): Instant {
  const [oldest] = pace.running
  const turnMs = Math.max(pace.turnMs, oldest ? now - oldest.begunAt : 0)
  const at = Math.max(now + SOONEST_MS, pace.pausedUntil, pace.nextTurnAt)
  const latest = Math.max(pace.pausedUntil, now + LATEST_MS)
  // Beyond that the queue is so long that places are a matter of luck.
  if (at > latest) return Math.round(now + (latest - now) * (0.5 + random.fraction() / 2))
  pace.nextTurnAt = at + turnMs / pace.most
  return Math.round(at)
}

function learn(pace: Pace, outcomes: readonly DeliveryOutcome[], now: Instant): void {
  if (outcomes.some(({ kind }) => kind === 'accepted')) {
    pace.pauseMs = 0
    pace.most = Math.min(GREATEST_MOST, pace.most + 1)
    return
  }
  if (!outcomes.some(isSetback)) return
  pace.setbacks += 1
  pace.most = Math.max(1, Math.floor(pace.most / 2))
  pace.pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pace.pauseMs || FIRST_PAUSE_MS)
  pace.pausedUntil = now + pace.pauseMs
}

/** No session, one that the server ended (RFC 5321 §3.8), or a refusal by its policy for now (RFC 3463 §3.8). */
function isSetback({ kind, code, enhancedCode }: DeliveryOutcome): boolean {
  return kind === 'temporary' && (code === 0 || code === 421 || enhancedCode.startsWith('4.7.'))
}
