import type { Account, AccountName } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { type Clock, DAY, HOUR, type Instant } from '../base/clock.ts'
import type { CounterStore } from './counter-store.ts'
import type { KnownRecipients } from './known-recipients.ts'

export interface DailyLimitPorts {
  readonly counters: CounterStore
  readonly knownRecipients: KnownRecipients
  readonly clock: Clock
}

/** Whether an account may send to so many recipients; if so they are counted already. */
export type Reservation =
  | { readonly kind: 'reserved'; readonly newcomers: readonly Address[]; giveBack(): Promise<void> }
  | { readonly kind: 'refused'; readonly limit: 'messages' | 'firstTimeRecipients'; readonly most: number }

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
