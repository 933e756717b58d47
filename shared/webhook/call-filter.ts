import type { RowName } from '../attempts/row-lists.ts'
import { isWithin, type TimeFilter } from '../attempts/time-filter.ts'
import { outgoingEvents } from './outgoing-event.ts'
import type { WebhookCall } from './webhook-call.ts'

/** What calls are about: an event of a sent message, a received one, or an operator who tries a receiver. */
export const callEvents = [...outgoingEvents, 'incoming', 'test'] as const

/** Which calls are meant: those that match every field that is given. */
export interface CallFilter {
  readonly names?: readonly RowName[]
  readonly account?: string
  /** One of {@link callEvents}. */
  readonly event?: string
  readonly submitted?: TimeFilter
  readonly nextAttempt?: TimeFilter
  /** Of retired calls. */
  readonly lastActivity?: TimeFilter
  /** Of retired calls. */
  readonly success?: boolean
}

/** Says whether a call is meant. */
export function matchesFilter(filter: CallFilter, row: WebhookCall): boolean {
  const { account, event, success } = filter
  return (
    (account === undefined || account === row.account) &&
    (event === undefined || event === row.event) &&
    (success === undefined || success === row.retired?.success) &&
    isWithin(filter.submitted, row.queuedAt) &&
    isWithin(filter.nextAttempt, row.nextAt) &&
    isWithin(filter.lastActivity, row.retired?.lastActivityAt ?? row.queuedAt) &&
    (filter.names?.some(({ account: of, id }) => of === row.account && id === row.id) ?? true)
  )
}
