import { SECOND } from '../base/clock.ts'
import type { OpenSession } from './sessions.ts'
import type { Wait } from './time-limit.ts'

/** A session that one message after the other is sent in. */
export interface LiveSession {
  readonly session: OpenSession
  /** Whom it is with, what was demanded of it and what it was judged by: whoever wants the same can use it. */
  readonly key: string
  /** Ends it at once: the signal that it was opened with. */
  readonly abort: AbortController
  /** How many messages were sent in it. */
  readonly messages: number
}

interface KeptSession extends LiveSession {
  /** Ends the waiting for somebody who takes it. */
  readonly taken: AbortController
}

const IDLE_MS = 5 * SECOND
/** Many servers count; most take that many. */
const MOST_MESSAGES = 100

/** Keeps sessions for a moment: where many messages go to one server, each but the first is spared a handshake. */
export class KeptSessions {
  readonly #wait: Wait
  readonly #kept = new Set<KeptSession>()
  #isEnded = false

  constructor(wait: Wait) {
    this.#wait = wait
  }

  /** A session that fits, with one of these addresses; it belongs to the caller. */
  take(key: string, ipAddresses: readonly string[]): LiveSession | undefined {
    for (const kept of this.#kept) {
      if (kept.key !== key || !ipAddresses.includes(kept.session.remote.ipAddress)) continue
      this.#kept.delete(kept)
      kept.taken.abort()
      if (kept.session.isReusable()) return kept
      void kept.session.end()
    }
    return undefined
  }

  /** Keeps a session whose message is done, or ends it where nothing may follow; nobody waits for that end. */
  keep(live: LiveSession): void {
    const { session, messages } = live
    if (this.#isEnded || messages >= MOST_MESSAGES || !session.isReusable()) return void session.end()
    const kept: KeptSession = { ...live, taken: new AbortController() }
    this.#kept.add(kept)
    void this.#endWhenIdle(kept)
  }

  /** Ends those that are kept, and each that would be from now on. */
  async end(): Promise<void> {
    this.#isEnded = true
    const sessions = [...this.#kept]
    this.#kept.clear()
    for (const { taken } of sessions) taken.abort()
    await Promise.all(sessions.map(({ session }) => session.end()))
  }

  async #endWhenIdle(kept: KeptSession): Promise<void> {
    await this.#wait(IDLE_MS, kept.taken.signal)
    if (this.#kept.delete(kept)) await kept.session.end()
  }
}
