import type { AttemptStore, Settlement } from '../attempts/attempt-store.ts'
import type { RowId } from '../base/row-id.ts'
import type { CallResult, WebhookCall } from './webhook-call.ts'

/** Port: queued and retired calls. Events add them in the transaction of their cause, operators here. */
export interface WebhookStore extends AttemptStore<WebhookCall, CallResult> {
  /** Ends a claimed attempt; `late` when the claim was no longer ours and only the result was kept. */
  settle(row: WebhookCall, settlement: Settlement<CallResult>): Promise<'settled' | 'late'>
  /** Ends a call that nobody works on, by the operator's decree `by`; false when it is no longer as it was read. */
  cancel(row: WebhookCall, settlement: Settlement<CallResult>, by: RowId): Promise<boolean>
  /** Adds a call that an operator makes; answers it under the first id that was free. */
  add(call: WebhookCall): Promise<WebhookCall>
  /**
   * Adds a call that repeats a finished one, once for the operation `by`; answers it as {@link add} does, or undefined
   * when that operation has repeated it already.
   */
  replay(finished: WebhookCall, again: WebhookCall, by: RowId): Promise<WebhookCall | undefined>
}
