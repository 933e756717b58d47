import type { AttemptStore, Settlement } from '../attempts/attempt-store.ts'
import type { RowId } from '../base/row-id.ts'
import type { CallResult, WebhookCall } from './webhook-call.ts'

/** Port: queued and retired calls. They are added by whoever causes them, in the transaction of the cause. */
export interface WebhookStore extends AttemptStore<WebhookCall, CallResult> {
  /** Ends a claimed attempt; `late` when the claim was no longer ours and only the result was kept. */
  settle(row: WebhookCall, settlement: Settlement<CallResult>): Promise<'settled' | 'late'>
  /** Ends a call that nobody works on, by the operator's decree `by`; false when it is no longer as it was read. */
  cancel(row: WebhookCall, settlement: Settlement<CallResult>, by: RowId): Promise<boolean>
}
