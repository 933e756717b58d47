import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'

/**
 * Names bytes that are too large for a row: `queue` a message shared by the recipients of one Send, `hook` the
 * body of a webhook call, `mail` a received message.
 */
export type ContentName = `queue/${string}` | `hook/${string}` | `mail/${string}`

/** The message that the recipients of one Send share. */
export function queueContent(base: RowId): ContentName {
  return `queue/${base}`
}

/** Port: immutable bytes by name. */
export interface ContentStore {
  /**
   * Keeps the bytes; false when the name is taken, whatever it holds.
   * With `expiresAt` they may vanish any time after it; without, they stay until removed.
   */
  create(name: ContentName, bytes: Uint8Array, expiresAt?: Instant): Promise<boolean>
  /** Undefined when there is none, or it has expired. */
  read(name: ContentName): Promise<Uint8Array | undefined>
  /** Bytes that may vanish earlier stay until `expiresAt`. */
  keep(name: ContentName, expiresAt: Instant): Promise<void>
  /** Removing what is not there is no error. */
  remove(name: ContentName): Promise<void>
}
