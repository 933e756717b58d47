import type { Settlement } from '../attempts/attempt-store.ts'
import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { CallResult, WebhookCall } from './webhook-call.ts'

/** The end of a call that nobody needs to make any more: a later one tells more of the same message. */
export function supersededEnd(
  call: WebhookCall,
  by: RowId,
  now: Instant,
): Extract<Settlement<CallResult>, { readonly kind: 'retire' }> {
  return {
    kind: 'retire',
    result: {
      attempt: call.attempts,
      startedAt: now,
      durationMs: 0,
      status: 'permanent',
      code: 0,
      error: `superseded by call ${by}`,
      url: call.url,
      response: '',
    },
    retired: notDelivered(call, now),
  }
}

/** How a call is remembered that ends without having been told. */
export function notDelivered(
  { keepRetiredMs }: WebhookCall,
  now: Instant,
): { readonly success: false; readonly lastActivityAt: Instant; readonly keepUntil: Instant } {
  return { success: false, lastActivityAt: now, keepUntil: keepRetiredMs > 0 ? now + keepRetiredMs : 0 }
}
