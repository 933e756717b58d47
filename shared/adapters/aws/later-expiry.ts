import type { Instant } from '../../base/clock.ts'
import type { Change } from './dynamo.ts'
import { expiresAtSeconds, type Key } from './table.ts'

/** Lets an item that would expire earlier live until `expiresAt`; one that lives longer, or for ever, stays so. */
export function laterExpiry(key: Key, expiresAt: Instant): Change {
  return {
    key,
    update: 'SET #expires = :expires',
    condition: '#expires < :expires',
    values: { expires: expiresAtSeconds(expiresAt) },
  }
}
