import { type Address, formatUnicodeAddress } from '../address/address.ts'
import type { RowName } from '../attempts/row-lists.ts'
import { isWithin, type TimeFilter } from '../attempts/time-filter.ts'
import type { QueuedMessage } from './queued-message.ts'

/** Which messages are meant: those that match every field that is given. */
export interface MessageFilter {
  readonly names?: readonly RowName[]
  readonly account?: string
  /** Part of the sender's address, whatever the case of its letters; `@example.org` is all of a domain. */
  readonly from?: string
  readonly to?: string
  readonly hold?: boolean
  readonly submitted?: TimeFilter
  readonly nextAttempt?: TimeFilter
  /** Empty means those that follow the routes. */
  readonly transport?: string
  /** Of retired messages. */
  readonly lastActivity?: TimeFilter
  /** Of retired messages. */
  readonly success?: boolean
}

/** Says whether a message is meant. */
export function matchesFilter(filter: MessageFilter, row: QueuedMessage): boolean {
  const { account, hold, transport, success } = filter
  return (
    (account === undefined || account === row.account) &&
    (hold === undefined || hold === (row.hold !== undefined)) &&
    (transport === undefined || transport === row.transport) &&
    (success === undefined || success === row.retired?.success) &&
    isPartOf(filter.from, row.mailFrom) &&
    isPartOf(filter.to, row.recipient) &&
    isWithin(filter.submitted, row.queuedAt) &&
    isWithin(filter.nextAttempt, row.nextAt) &&
    isWithin(filter.lastActivity, row.retired?.lastActivityAt ?? row.queuedAt) &&
    (filter.names?.some(({ account: of, id }) => of === row.account && id === row.id) ?? true)
  )
}

function isPartOf(part: string | undefined, address: Address | undefined): boolean {
  if (part === undefined) return true
  return address !== undefined && formatUnicodeAddress(address).toLowerCase().includes(part.toLowerCase())
}
