import { type Clock, DAY, HOUR, type Instant, SECOND } from '../base/clock.ts'
import type { ReadAnswer } from './read-answer.ts'
import type { DnsAnswer } from './resolver.ts'

/** A name may be given away or mended within the days that its records claim to hold. */
const MAX_POSITIVE_MS = DAY
/** RFC 2308 §5 finds up to three hours sensible; somebody may be waiting for a record that was just added. */
const MAX_NEGATIVE_MS = HOUR

interface Entry {
  readonly answer: DnsAnswer<unknown>
  readonly untilAt: Instant
}

/**
 * Remembers answers for as long as they say, the last `capacity` of them. What failed is not remembered, nor what has
 * no TTL. `question` is the type and name.
 */
export class AnswerCache {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Clock
  readonly #capacity: number

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock
    this.#capacity = capacity
  }

  get(question: string): DnsAnswer<unknown> | undefined {
    const entry = this.#entries.get(question)
    if (entry === undefined) return undefined
    if (entry.untilAt > this.#clock.now()) return entry.answer
    this.#entries.delete(question)
    return undefined
  }

  set(question: string, { answer, ttlSeconds }: ReadAnswer<unknown>): void {
    if (answer.kind === 'failed' || ttlSeconds <= 0) return
    const longest = answer.kind === 'found' ? MAX_POSITIVE_MS : MAX_NEGATIVE_MS
    const untilAt = this.#clock.now() + Math.min(ttlSeconds * SECOND, longest)
    this.#entries.delete(question)
    this.#entries.set(question, { answer, untilAt })
    // A Map keeps the order in which entries came.
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest)
  }
}
