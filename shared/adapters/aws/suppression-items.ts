import { type Address, formatUnicodeAddress } from '../../address/address.ts'
import { DAY, formatInstant, type Instant, parseInstant } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { Suppression } from '../../suppression/suppression.ts'
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

/** Counts one more final failure in a row, or begins anew after a delivery. */
export function historyChange(
  account: string,
  recipient: Address,
  { ended, at }: { readonly ended: 'delivered' | 'failed'; readonly at: Instant },
): Change {
  const failed = ended === 'failed'
  return {
    key: keys.recipient(account, formatUnicodeAddress(recipient)),
    update: failed
      ? 'ADD #failuresInARow :one SET #expires = :expires'
      : 'SET #failuresInARow = :none, #expires = :expires',
    values: { expires: expiresAtSeconds(at + HISTORY_KEPT_MS), ...(failed ? { one: 1 } : { none: 0 }) },
  }
}
