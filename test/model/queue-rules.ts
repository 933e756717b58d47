// What the specification says in numbers and tables; it imports nothing, as queue-model.ts.

/** Milliseconds since 1970. */
export type Instant = number

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

/** How long nobody else may claim what a worker has. */
export const LEASE = 120 * SECOND
/** So many interrupted attempts in a row put a message on hold. */
export const MOST_INTERRUPTED = 5
/** How long the sweep waits for a lost hint or notice, and for the commit of a Send. */
export const LOST = 90 * SECOND
export const LOST_COMMIT = 15 * MINUTE
/** How long content is kept: from the first attempt, and of what is on hold from the Send. */
export const CONTENT_KEPT = 7 * DAY
export const HELD_CONTENT_KEPT = 90 * DAY
/** How far from the Send an attempt may be put off. */
export const LONGEST_WAIT = 80 * DAY

/** Counted attempts before a temporary failure is final, and the one after whose failure the sender is told. */
const MOST_ATTEMPTS = 8
const LATE_AFTER = 5
/** The delay after the first failure, doubling, and its jitter (spec §3.4). */
const BASE_DELAY = 450 * SECOND
const JITTER = { from: -5 * SECOND, to: 4 * SECOND }

/** What the next hop may say to one recipient; `none` is no answer at all. */
export const replies = {
  accepted: { kind: 'accepted', code: 250, enhancedCode: '2.0.0' },
  later: { kind: 'temporary', code: 451, enhancedCode: '4.2.0' },
  none: { kind: 'temporary', code: 0, enhancedCode: '' },
  refused: { kind: 'permanent', code: 554, enhancedCode: '5.6.0' },
  unknown: { kind: 'permanent', code: 550, enhancedCode: '5.1.1' },
} as const
export type Answer = keyof typeof replies

/**
 * What a notification (RFC 3464) says; `unrecognized` stands for any other message to a FromID. The failure has a code
 * that suppresses at once, because others are not counted in a row yet (AT-74 in test/flows/bounces.test.ts).
 */
export const reports = {
  failed: { status: 'permanent', code: 550, text: '5.1.1' },
  delayed: { status: 'temporary', code: 400, text: '4.4.1' },
  delivered: { status: 'success', code: 0, text: '2.0.0' },
  unrecognized: { status: 'temporary', code: 0, text: '' },
} as const
export type Report = keyof typeof reports

/** A time with jitter. */
export interface Between {
  readonly from: Instant
  readonly to: Instant
}

/** How one attempt ends, as its worker will write it. */
export interface Outcome {
  readonly status: string
  readonly event: string
  readonly code: number
  readonly retryAt?: Between
  readonly notice?: string | undefined
  readonly history?: 'failed' | 'delivered' | undefined
  readonly suppresses?: boolean
}

/** Nobody was asked. */
export const suppressedOutcome: Outcome = {
  status: 'permanent',
  event: 'suppressed',
  code: 0,
  notice: 'failed',
  history: 'failed',
}

/** Its content is no longer kept. */
export const tooOld = { kind: 'permanent', code: 0 } as const

/** Spec §3.4 and §5: what a reply to counted attempt `counted` means, after so many failures of the recipient in a row. */
export function outcomeOf(
  reply: { readonly kind: string; readonly code: number },
  counted: number,
  failuresInARow: number,
  retryAt: Between,
): Outcome {
  const { kind, code } = reply
  if (kind === 'accepted') {
    const history = failuresInARow > 0 ? 'delivered' : undefined
    return { status: 'success', event: 'delivered', code: 0, history }
  }
  if (kind === 'temporary' && counted < MOST_ATTEMPTS) {
    const notice = counted === LATE_AFTER ? 'delayed' : undefined
    return { status: 'temporary', event: 'delayed', code, retryAt, notice }
  }
  // At once where the reply says that there is no such mailbox, else at the third failure in a row.
  const suppresses = code === 550 || (code !== 0 && failuresInARow >= 2)
  return { status: kind, event: 'failed', code, notice: 'failed', history: 'failed', suppresses }
}

/** When an attempt that began at `startedAt` is repeated, if it fails: never in the past. */
export function nextTry(counted: number, startedAt: Instant, now: Instant): Between {
  const [from, to] = [JITTER.from, JITTER.to].map((jitter) =>
    Math.max(now, startedAt + (BASE_DELAY + jitter) * 2 ** (counted - 1)),
  )
  return { from: from ?? now, to: to ?? now }
}

/** What an address is suppressed by (spec §5). */
export function baseAddress(address: string): string {
  const [localpart = ''] = address.split('@')
  const [beforePlus = ''] = localpart.split('+')
  const [beforeDash = ''] = beforePlus.split('-')
  return `${beforeDash.replaceAll('.', '').toLowerCase()}@${domainOf(address)}`
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}
