import { type Address, formatUnicodeAddress } from '../../address/address.ts'
import { DAY, formatInstant, type Instant, parseInstant } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { Standing, Suppression } from '../../suppression/suppression.ts'
import type { Change, Item } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** A recipient that nothing was sent to for so long is forgotten. */
const HISTORY_KEPT_MS = 180 * DAY

/** The item of a new entry, to be put into the transaction of its cause. */
export function suppressionItem(suppression: Suppression): Item {
  const { account, baseAddress, createdAt, ...plain } = suppression
  return { ...keys.suppression(account, baseAddress), account, createdAt: formatInstant(createdAt), ...plain }
}

/** Reads an entry back. */
export function parseSuppression(item: Item): Suppression {
  const stored = item as unknown as Omit<Suppression, 'createdAt' | 'baseAddress' | 'id'> & {
    readonly sk: string
    readonly id: number
    readonly createdAt: string
  }
  return {
    id: stored.id as RowId,
    account: stored.account,
    createdAt: parseInstant(stored.createdAt),
    baseAddress: stored.sk,
    originalAddress: stored.originalAddress,
    manual: stored.manual,
    reason: stored.reason,
  }
}

/** How a message to the recipient ended. */
export interface Ending {
  readonly id: RowId
  readonly ended: 'delivered' | 'failed'
  readonly at: Instant
}

/**
 * Counts one more final failure in a row, or begins anew after a delivery; of that it is remembered what it ended,
 * for a delivery that comes back goes on with the row.
 */
export function historyChange(account: string, recipient: Address, { id, ended, at }: Ending): Change {
  const key = keys.recipient(account, formatUnicodeAddress(recipient))
  const expires = expiresAtSeconds(at + HISTORY_KEPT_MS)
  return ended === 'failed'
    ? {
        key,
        update: 'ADD #failuresInARow :one SET #expires = :expires',
        values: { expires, one: 1 },
      }
    : {
        key,
        update:
          'SET #failuresBefore = if_not_exists(#failuresInARow, :none), #failuresInARow = :none, #deliveredId = :id, #expires = :expires',
        values: { expires, none: 0, id },
      }
}

/** A delivery came back. Where the item of the recipient still knows it as the last one, the row of failures goes on. */
export function takenBackChange(
  account: string,
  recipient: Address,
  { id, at }: Pick<Ending, 'id' | 'at'>,
  item: Item | undefined,
): Change {
  const { lastDelivered } = parseHistory(item)
  if (lastDelivered?.id !== id) return historyChange(account, recipient, { id, ended: 'failed', at })
  return {
    key: keys.recipient(account, formatUnicodeAddress(recipient)),
    update: 'ADD #failuresInARow :more SET #expires = :expires REMOVE #deliveredId, #failuresBefore',
    condition: '#deliveredId = :id',
    values: { id, more: lastDelivered.failuresBefore + 1, expires: expiresAtSeconds(at + HISTORY_KEPT_MS) },
  }
}

/** How a recipient fared, by its item. */
export function parseHistory(item: Item | undefined): Omit<Standing, 'suppression'> {
  const {
    failuresInARow = 0,
    deliveredId,
    failuresBefore = 0,
  } = (item ?? {}) as {
    readonly failuresInARow?: number
    readonly deliveredId?: number
    readonly failuresBefore?: number
  }
  return {
    failuresInARow,
    ...(deliveredId !== undefined && { lastDelivered: { id: deliveredId as RowId, failuresBefore } }),
  }
}
