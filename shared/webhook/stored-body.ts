import { DAY, type Instant } from '../base/clock.ts'
import { instantOf, type RowId } from '../base/row-id.ts'
import type { ContentName } from '../content/content-store.ts'

/** How long the body of a call is kept that is too large for its row, from the arrival of the mail on. */
export const STORED_BODY_KEPT_MS = 30 * DAY

/** Names the stored body of the call about a received mail. */
export function storedBodyName(account: string, msgId: RowId): ContentName {
  return `hook/${account}/${msgId}`
}

/** Until when the body of that name is kept: mails are numbered by their arrival. */
export function storedBodyKeptUntil(name: ContentName): Instant {
  const msgId = Number(name.slice(name.lastIndexOf('/') + 1)) as RowId
  return instantOf(msgId) + STORED_BODY_KEPT_MS
}
