import type { Between, Instant } from './queue-rules.ts'

/** A message for one recipient, as the model has it. */
export interface Message {
  readonly id: number
  readonly base: number
  readonly recipient: string
  /** Its reverse-path is its own: it shares no transaction. */
  readonly hasFromId: boolean
  readonly queuedAt: Instant
  /** From then on the sweep finds it, although its first hint was lost. */
  readonly foundFrom: Instant
  state: 'waiting' | 'attempting' | 'done'
  isHeld: boolean
  /** How many attempts were begun. */
  attempts: number
  /** How each of them ended. */
  readonly results: Map<number, string>
  /** Results that are no attempt's: of an operator, or of a notification. */
  readonly otherResults: string[]
  nextAt: Between
  /** Each claim has its own. */
  lease?: { readonly endsAt: Instant } | undefined
  /** Attempts up to this one were before its last release. */
  releasedAfter: number
  isSuccess?: boolean
  /** The notice that its sender is to get, and since when. */
  owed?: { readonly notice: string; readonly since: Instant } | undefined
  readonly events: string[]
  readonly notices: string[]
  /** The attempts in which the remote accepted it. */
  readonly acceptedIn: number[]
  /** The operations that have changed it. */
  readonly changedBy: Set<number>
}

/** A message as its Send leaves it. */
export function newMessage(
  sent: Pick<Message, 'id' | 'base' | 'recipient' | 'hasFromId' | 'queuedAt' | 'foundFrom'>,
  nextAt: Instant,
): Message {
  return {
    ...sent,
    state: 'waiting',
    isHeld: false,
    attempts: 0,
    results: new Map(),
    otherResults: [],
    nextAt: { from: nextAt, to: nextAt },
    releasedAfter: 0,
    events: [],
    notices: [],
    acceptedIn: [],
    changedBy: new Set(),
  }
}

/** Says whether no worker has it: it waits, or a lease is over. */
export function isFree({ state, lease }: Message, now: Instant): boolean {
  return state === 'waiting' || (state === 'attempting' && lease !== undefined && lease.endsAt < now)
}

/** An interrupted attempt does not count (design §3), not even when its result comes late. */
export function countedAttempts({ results }: Message): number {
  return [...results.values()].filter((status) => !/^interrupted$|late$/.test(status)).length
}

/** Whether nothing has begun or ended since it was seen. */
export function isAttemptAsSeen(message: Message, seen: Message): boolean {
  return message.state === seen.state && message.attempts === seen.attempts
}

/** Whether it is still what was seen: nobody overwrites what he does not know. */
export function isAsSeen(message: Message, seen: Message): boolean {
  return (
    isAttemptAsSeen(message, seen) &&
    message.isHeld === seen.isHeld &&
    message.owed?.notice === seen.owed?.notice
  )
}
