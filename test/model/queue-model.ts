import {
  countedAttempts,
  isAsSeen,
  isAttemptAsSeen,
  isFree,
  type Message,
  newMessage,
} from './model-message.ts'
import {
  type Answer,
  baseAddress,
  CONTENT_KEPT,
  domainOf,
  HELD_CONTENT_KEPT,
  type Instant,
  LEASE,
  LONGEST_WAIT,
  LOST,
  LOST_COMMIT,
  MOST_INTERRUPTED,
  nextTry,
  type Outcome,
  outcomeOf,
  type Report,
  replies,
  reports,
  suppressedOutcome,
  tooOld,
} from './queue-rules.ts'

// The mail queue as its specification has it: the write order, claims and outcomes of the design (§3), and what mox's
// webapi says of retries, actions, events, notices and suppression (spec §2.6, §3.3 to §3.11, §4.3, §5). It imports
// nothing of the product, so that it shares no mistake with it.
//
// What takes several steps (a Send, a worker, an operator) is a generator that stops before each write, because a
// process may be slow, or die, between any two of its writes.

/** What an operator does to a message. */
export type Action =
  | { readonly kind: 'hold' | 'release' | 'fail' | 'drop' }
  | { readonly kind: 'schedule'; readonly at: Instant }
  | { readonly kind: 'postpone'; readonly byMs: number }

/** What a process meets when it goes on. */
export interface Passage {
  /** What the remote says to the recipients, in turn. */
  readonly answers: readonly Answer[]
  /** The ids that the product has drawn for the messages of a Send; fewer where it died between two rows. */
  readonly ids: readonly number[]
}

/** Yields the name of the write that it stands before; ends when there is nothing left to do. */
export type Process = Generator<string, void, Passage>

/** Rows of a Send with several recipients, which are nothing until it is committed. */
interface Uncommitted {
  readonly ids: readonly number[]
  readonly queuedAt: Instant
  /** When the sweep gives it up. */
  readonly endsAt: Instant
  /** The sweep has met it, and looks again when it ends. */
  isMet: boolean
}

/** One account's messages, and all that comes of them. */
export class QueueModel {
  now: Instant
  readonly messages = new Map<number, Message>()
  /** By the first id of the Send. */
  readonly uncommitted = new Map<number, Uncommitted>()
  /** Base addresses. */
  readonly suppressed = new Set<string>()
  /** Mails that are no notices, and calls about them. */
  received = 0
  incomingCalls = 0
  readonly #failuresInARow = new Map<string, number>()
  readonly #contentUntil = new Map<number, Instant>()

  constructor(now: Instant) {
    this.now = now
  }

  /** Send (design §3, "Accept"): with one recipient the row is the acceptance, with several the commit. */
  *send(recipients: readonly string[], hasFromId: boolean, releaseAt: Instant): Process {
    for (;;) {
      const queuedAt = this.now
      const nextAt = Math.max(queuedAt, releaseAt)
      yield 'content'
      const { ids } = yield 'rows'
      const [base = 0] = ids
      const isWhole = ids.length === recipients.length
      if (ids.length > 1 || !isWhole) {
        const endsAt = Math.max(nextAt, queuedAt + LOST_COMMIT)
        if (ids.length > 0) this.uncommitted.set(base, { ids, queuedAt, endsAt, isMet: false })
        // It died between two rows.
        if (!isWhole) return
        yield 'commit'
      }
      const uncommitted = this.uncommitted.get(base)
      // The sweep has given it up: it is sent anew.
      if (ids.length > 1 && !uncommitted) continue
      this.uncommitted.delete(base)
      this.#contentUntil.set(base, nextAt + CONTENT_KEPT)
      const foundFrom = uncommitted?.isMet ? uncommitted.endsAt : queuedAt + LOST
      recipients.forEach((recipient, place) => {
        const id = ids[place] ?? 0
        this.messages.set(id, newMessage({ id, base, recipient, hasFromId, queuedAt, foundFrom }, nextAt))
      })
      yield 'hints'
      return
    }
  }

  /** A worker follows a hint. Whatever the hint says, only the message decides. */
  *work(hint: { readonly id: number; readonly attempt: number }): Process {
    const seen = this.#look(hint.id)
    if (seen?.owed) yield* this.#tell(seen)
    const startedAt = this.now
    const due = this.#dueTogether(seen, hint.attempt).filter((row) => !this.#holdsInterrupted(row))
    const claimed: Message[] = []
    for (const row of due) {
      yield `claim ${row.id}`
      if (this.#claim(row, startedAt)) claimed.push(...this.#lookAt([row.id]))
    }
    const owing: Message[] = []
    for (const [row, outcome] of yield* this.#deliver(claimed, startedAt)) {
      yield `settle ${row.id}`
      if (this.#settle(row, outcome)) owing.push(...this.#lookAt([row.id]).filter(({ owed }) => owed))
    }
    for (const row of owing) yield* this.#tell(row)
  }

  /** A message as it is now; what is seen does not change with it. */
  #look(id: number): Message | undefined {
    const message = this.messages.get(id)
    return message && { ...message, results: new Map(message.results) }
  }

  #lookAt(ids: readonly number[]): readonly Message[] {
    return ids.flatMap((id) => this.#look(id) ?? [])
  }

  /** Whoever finds a notice owed gives it; one is given, however many find it. */
  *#tell(seen: Message): Process {
    yield `notice ${seen.id}`
    const message = this.messages.get(seen.id)
    if (!message?.owed || message.owed.notice !== seen.owed?.notice) return
    message.notices.push(message.owed.notice)
    message.owed = undefined
  }

  /** Spec §3.7: the same Send, recipient domain and attempt, due and not held; with FromIDs each goes alone. */
  #dueTogether(seen: Message | undefined, attempt: number): readonly Message[] {
    const isDue = (row: Message) =>
      !row.isHeld && row.attempts === attempt - 1 && row.nextAt.from <= this.now && isFree(row, this.now)
    if (!seen || !isDue(seen)) return []
    if (seen.hasFromId) return [seen]
    const others = [...this.messages.values()]
      .filter(({ id, base }) => id !== seen.id && base === seen.base)
      .filter(({ recipient }) => domainOf(recipient) === domainOf(seen.recipient))
      .filter(isDue)
    return [seen, ...this.#lookAt(others.map(({ id }) => id))]
  }

  /** Design §3: five interrupted attempts in a row hold the message. A release begins anew. */
  #holdsInterrupted(seen: Message): boolean {
    const last = [...seen.results].slice(-MOST_INTERRUPTED)
    const isTooOften =
      last.length === MOST_INTERRUPTED &&
      last.every(([attempt, status]) => attempt > seen.releasedAfter && isUnknown(status))
    const message = this.messages.get(seen.id)
    if (!isTooOften || !message) return isTooOften
    this.#keepContent(message.base, message.queuedAt + HELD_CONTENT_KEPT)
    if (isAsSeen(message, seen)) message.isHeld = true
    return true
  }

  /** Design §3, "Claim": of a row that is as it was seen. The attempt that it takes over was interrupted. */
  #claim(seen: Message, startedAt: Instant): boolean {
    const message = this.messages.get(seen.id)
    if (!message || message.isHeld || message.nextAt.from > startedAt) return false
    if (!isAttemptAsSeen(message, seen) || !isFree(message, startedAt)) return false
    if (message.state === 'attempting') message.results.set(message.attempts, 'interrupted')
    message.state = 'attempting'
    message.attempts++
    message.results.set(message.attempts, 'running')
    message.lease = { endsAt: startedAt + LEASE }
    return true
  }

  /** Nobody is asked about the suppressed (spec §3.6). How recipients stand is known when the attempt begins. */
  *#deliver(
    claimed: readonly Message[],
    startedAt: Instant,
  ): Generator<string, readonly (readonly [Message, Outcome])[], Passage> {
    const failures = claimed.map(({ recipient }) => this.#failuresInARow.get(recipient) ?? 0)
    const wanted = claimed.filter(({ recipient }) => !this.suppressed.has(baseAddress(recipient)))
    const isTooOld = wanted.some(({ base }) => (this.#contentUntil.get(base) ?? 0) <= this.now)
    const names = wanted.map(({ recipient }) => recipient).join(' ')
    const { answers } = names && !isTooOld ? yield `deliver ${names}` : { answers: [] }
    // What shared a transaction is tried again together, by the schedule of the first.
    const [first] = claimed
    const retryAt = nextTry(first ? countedAttempts(first) : 1, startedAt, this.now)
    return claimed.map((row, place) => {
      const asked = wanted.indexOf(row)
      if (asked < 0) return [row, suppressedOutcome] as const
      const reply = isTooOld ? tooOld : replies[answers[asked % answers.length] ?? 'none']
      if (reply.kind === 'accepted') this.messages.get(row.id)?.acceptedIn.push(row.attempts)
      return [row, outcomeOf(reply, countedAttempts(row), failures[place] ?? 0, retryAt)] as const
    })
  }

  /** Design §3, "Outcome": only by the claim's owner; otherwise the result is kept, and nothing else happens. */
  #settle(row: Message, outcome: Outcome): boolean {
    const message = this.messages.get(row.id)
    if (!message) return false
    if (message.lease !== row.lease) {
      const isOpen = isUnknown(message.results.get(row.attempts) ?? '')
      if (isOpen) message.results.set(row.attempts, `${outcome.status}, late`)
      return false
    }
    message.results.set(row.attempts, outcome.status)
    message.lease = undefined
    if (outcome.retryAt) {
      message.state = 'waiting'
      message.nextAt = outcome.retryAt
      if (outcome.notice) message.owed = { notice: outcome.notice, since: this.now }
    } else this.#finish(message, outcome)
    const suppressing = outcome.suppresses ? this.#suppress(message) : ''
    message.events.push(`${outcome.event} ${outcome.code}${suppressing}`)
    return true
  }

  #finish(message: Message, { status, notice, history }: Omit<Outcome, 'event' | 'code'>): void {
    message.state = 'done'
    message.isSuccess = status === 'success'
    message.isHeld = false
    message.lease = undefined
    message.owed = notice ? { notice, since: this.now } : undefined
    // Spec §5: failures without a code, suppressed and canceled messages count in the row too.
    const before = this.#failuresInARow.get(message.recipient) ?? 0
    if (history) this.#failuresInARow.set(message.recipient, history === 'failed' ? before + 1 : 0)
  }

  /** What the event says if the recipient was not on the list yet. */
  #suppress({ recipient }: Message): string {
    const isListed = this.suppressed.has(baseAddress(recipient))
    this.suppressed.add(baseAddress(recipient))
    return isListed ? '' : ' suppressing'
  }

  /** An operator acts (spec §3.11), by an operation that changes a message once, however often it is repeated. */
  *act(id: number, action: Action, by: number): Process {
    for (;;) {
      const seen = this.#look(id)
      if (!seen || seen.state === 'done' || !this.#isPossible(seen, action)) return
      yield `write ${id}`
      const message = this.messages.get(id)
      if (!message || message.changedBy.has(by)) return
      if (!isAsSeenFor(action, message, seen)) continue
      this.#change(message, action)
      message.changedBy.add(by)
      return
    }
  }

  /** Not where it is so already, where a worker has the message, or for a time too far ahead. */
  #isPossible(seen: Message, action: Action): boolean {
    if (action.kind === 'release') return seen.isHeld
    if (action.kind === 'hold') {
      if (!seen.isHeld) this.#keepContent(seen.base, seen.queuedAt + HELD_CONTENT_KEPT)
      return !seen.isHeld
    }
    if (!isFree(seen, this.now)) return false
    const at = timeOf(action, seen)
    if (at === undefined) return true
    if (at > seen.queuedAt + LONGEST_WAIT) return false
    this.#keepContent(seen.base, seen.isHeld ? seen.queuedAt + HELD_CONTENT_KEPT : at + CONTENT_KEPT)
    return true
  }

  #change(message: Message, action: Action): void {
    const at = timeOf(action, message)
    if (at !== undefined) message.nextAt = { from: at, to: at }
    if (action.kind === 'hold') message.isHeld = true
    if (action.kind === 'release') {
      message.isHeld = false
      message.releasedAfter = message.attempts
    }
    // `fail` tells the sender, `drop` only the application.
    if (action.kind === 'fail' || action.kind === 'drop') {
      const notice = action.kind === 'fail' ? 'failed' : undefined
      this.#finish(message, { status: 'permanent', notice, history: 'failed' })
      message.otherResults.push(`${message.attempts} permanent`)
      message.events.push(notice ? 'failed 0' : 'canceled 0')
    }
  }

  #keepContent(base: number, until: Instant): void {
    this.#contentUntil.set(base, Math.max(until, this.#contentUntil.get(base) ?? 0))
  }

  /**
   * The sweep gives up Sends that were not committed in time. It must hint the messages whose time it is or whose
   * hint, worker or notice is lost; what else it hints must be among those that it may.
   */
  sweep(): { readonly must: readonly Message[]; readonly may: readonly Message[] } {
    for (const [base, uncommitted] of this.uncommitted) {
      uncommitted.isMet ||= uncommitted.queuedAt + LOST <= this.now
      if (uncommitted.endsAt <= this.now) this.uncommitted.delete(base)
    }
    const all = [...this.messages.values()]
    const isWaiting = (message: Message, at: Instant) =>
      message.state !== 'done' && !message.isHeld && message.nextAt.from <= at && isFree(message, at)
    const isFound = (message: Message) => isWaiting(message, this.now) && message.foundFrom <= this.now
    const isOverdue = ({ owed }: Message) => owed !== undefined && owed.since + LOST <= this.now
    return {
      must: all.filter((message) => isFound(message) || isOverdue(message)),
      may: all.filter((message) => isWaiting(message, this.now + 1) || message.owed),
    }
  }

  /** Spec §4.3: what comes to a FromID, or returns one, is an event of its message; the rest is incoming mail. */
  receive(id: number | undefined, report: Report): void {
    this.received++
    const message = id === undefined ? undefined : this.messages.get(id)
    if (!message?.hasFromId) {
      this.incomingCalls++
      return
    }
    const { code, status } = reports[report]
    if (message.state === 'done') {
      message.otherResults.push(`${message.attempts} ${status}`)
      if (report === 'failed') message.isSuccess = false
    }
    const suppressing = report === 'failed' ? this.#suppress(message) : ''
    message.events.push(`${report} ${code}${suppressing}${report === 'unrecognized' ? '' : ' by DSN'}`)
  }
}

/** Nobody has told how the attempt ended. */
function isUnknown(status: string): boolean {
  return status === 'running' || status === 'interrupted'
}

/** When the next attempt is to be. */
function timeOf(action: Action, seen: Message): Instant | undefined {
  if (action.kind === 'schedule') return action.at
  return action.kind === 'postpone' ? seen.nextAt.from + action.byMs : undefined
}

/** Whether the message is as it was seen, in what the action depends on. */
function isAsSeenFor(action: Action, message: Message, seen: Message): boolean {
  if (action.kind === 'fail' || action.kind === 'drop') return isAttemptAsSeen(message, seen)
  const isMove = action.kind === 'schedule' || action.kind === 'postpone'
  return isAsSeen(message, seen) && (!isMove || message.nextAt.from === seen.nextAt.from)
}
