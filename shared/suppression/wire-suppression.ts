import { formatInstant } from '../base/clock.ts'
import type { Suppression } from './suppression.ts'

/** An entry as mox's `Suppression`. */
export interface SuppressionJson {
  readonly ID: number
  /** RFC 3339. */
  readonly Created: string
  readonly Account: string
  readonly BaseAddress: string
  readonly OriginalAddress: string
  readonly Manual: boolean
  readonly Reason: string
}

/** Writes an entry as answers have it. */
export function wireSuppression(entry: Suppression): SuppressionJson {
  return {
    ID: entry.id,
    Created: formatInstant(entry.createdAt),
    Account: entry.account,
    BaseAddress: entry.baseAddress,
    OriginalAddress: entry.originalAddress,
    Manual: entry.manual,
    Reason: entry.reason,
  }
}
