import type { Account, AccountName } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { type Clock, DAY, HOUR, type Instant } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { CounterStore } from './counter-store.ts'
import type { KnownRecipients } from './known-recipients.ts'

export interface DailyLimitPorts {
  readonly counters: CounterStore
  readonly knownRecipients: KnownRecipients
  readonly clock: Clock
}

/** The limit of an account that would be passed: messages, or recipients that it never sent to, within 24 hours. */
export interface LimitReached {
  readonly limit: 'messages' | 'firstTimeRecipients'
  readonly most: number
}

/** Whether an account may send to so many recipients; if so they are counted already. */
export type Reservation =
  | { readonly kind: 'reserved'; readonly newcomers: readonly Address[]; giveBack(): Promise<void> }
  | ({ readonly kind: 'refused' } & LimitReached)

/** What an account may do within 24 hours if nothing else is set (mox's numbers). */
const DEFAULTS = { messages: 1000, firstTimeRecipients: 200 } as const

/** What an account may do within 24 hours; 0 is without limit. */
export function dailyLimits(account: Account): Readonly<Record<keyof typeof DEFAULTS, number>> {
  return {
    messages: account.maxOutgoingMessagesPerDay ?? DEFAULTS.messages,
    firstTimeRecipients: account.maxFirstTimeRecipientsPerDay ?? DEFAULTS.firstTimeRecipients,
  }
}

/**
 * Accepts a message if the account may still send so much today. Where `accept` throws something for which
 * `isRefusal` holds, nothing was accepted and nothing counts.
 */
export async function withinDailyLimits<Result>(
  ports: DailyLimitPorts & { readonly log: Log },
  { name, account }: { readonly name: AccountName; readonly account: Account },
  recipients: readonly Address[],
  accept: () => Promise<Result>,
  isRefusal: (error: unknown) => boolean,
): Promise<
  { readonly kind: 'accepted'; readonly result: Result } | ({ readonly kind: 'refused' } & LimitReached)
> {
  const reserved = await reserveMessages(ports, name, account, recipients)
  if (reserved.kind === 'refused') return reserved
  try {
    const result = await accept()
    await ports.knownRecipients.remember(name, reserved.newcomers).catch((error) => {
      // The message is accepted: they will count as new once more.
      ports.log.error('recipients were not remembered', error, { account: name })
    })
    return { kind: 'accepted', result }
  } catch (error) {
    if (isRefusal(error)) await reserved.giveBack()
    throw error
  }
}

/** A limit that is reached, in words; the text is public. */
export function explainLimit({ limit, most }: LimitReached): string {
  return limit === 'messages'
    ? `the account may send ${most} messages within 24 hours, one for each recipient`
    : `the account may send to ${most} recipients within 24 hours that it never sent to before`
}

/**
 * Counts a message for each recipient, and those recipients that the account sends to for the first time. It counts
 * first and looks then, so that Sends at the same time cannot exceed a limit together; and it counts by the hour,
 * so that a message counts for up to 25 hours.
 */
export async function reserveMessages(
  ports: DailyLimitPorts,
  name: AccountName,
  account: Account,
  recipients: readonly Address[],
): Promise<Reservation> {
  const now = ports.clock.now()
  const limits = dailyLimits(account)
  const messages = { subject: `sent#${name}`, most: limits.messages, amount: recipients.length, now }
  if (!(await count(ports, messages))) return { kind: 'refused', limit: 'messages', most: limits.messages }

  const { firstTimeRecipients: most } = limits
  const newcomers = most > 0 ? await ports.knownRecipients.unknown(name, recipients) : []
  const first = { subject: `first#${name}`, most, amount: newcomers.length, now }
  if (!(await count(ports, first))) {
    await add(ports, messages, -1)
    return { kind: 'refused', limit: 'firstTimeRecipients', most }
  }
  return {
    kind: 'reserved',
    newcomers,
    async giveBack() {
      await Promise.all([add(ports, messages, -1), add(ports, first, -1)])
    },
  }
}

interface Counted {
  readonly subject: string
  readonly most: number
  readonly amount: number
  readonly now: Instant
}

/** False, with nothing counted, where that would be more than the limit. */
async function count(ports: DailyLimitPorts, counted: Counted): Promise<boolean> {
  const { subject, most, now } = counted
  await add(ports, counted, 1)
  if (most === 0 || counted.amount === 0) return true
  if ((await ports.counters.sum(subject, hourOf(now - DAY))) <= most) return true
  await add(ports, counted, -1)
  return false
}

async function add({ counters }: DailyLimitPorts, counted: Counted, sign: 1 | -1): Promise<void> {
  const { subject, most, amount, now } = counted
  if (most === 0 || amount === 0) return
  const since = hourOf(now)
  await counters.add({ subject, since }, sign * amount, since + HOUR + DAY)
}

function hourOf(at: Instant): Instant {
  return at - (at % HOUR)
}
