import type { AttemptStore, Settlement } from '../attempts/attempt-store.ts'
import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { Suppression } from '../suppression/suppression.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { DeliveryResult, MessageEdit, NoticeKind, QueuedMessage } from './queued-message.ts'

/** What was decided about a Send with several recipients; once written it never changes. */
export type Decision =
  | {
      readonly kind: 'committed'
      /** The places (0, 1, …) of the recipients in the Send, by recipient domain. */
      readonly domains: Readonly<Record<string, readonly number[]>>
    }
  | { readonly kind: 'aborted' }

/** What is written together with an outcome. */
export interface Effects {
  /** The call that reports the outcome. */
  readonly call?: WebhookCall
  /** The entry that the outcome puts on the suppression list. */
  readonly suppression?: Suppression
  /** How the message ended, for the next messages to its recipient. */
  readonly history?: { readonly ended: 'delivered' | 'failed'; readonly at: Instant }
  /** The sender is to be told, by whoever finds it owed. */
  readonly notice?: NoticeKind
  /** Written instead when the recipient was listed by somebody else meanwhile. */
  readonly otherwise?: Effects
}

/** A Send by the Message-ID of its message (RFC 5322 §3.6.4), with angle brackets. */
interface SentMessageId {
  readonly account: string
  readonly messageId: string
  readonly base: RowId
  readonly recipients: number
}

/** The row's new state and all its effects are written. */
export interface Settled {
  readonly kind: 'settled'
  /** As stored. */
  readonly call?: WebhookCall
}

/** Port: queued and retired messages. */
export interface QueueStore extends AttemptStore<QueuedMessage, DeliveryResult, MessageEdit> {
  /**
   * Adds the rows of one Send; false when an id is taken by another Send (rows written before that stay, without
   * a decision, for the sweep to remove). Running it twice with the same rows is as running it once.
   */
  add(rows: readonly QueuedMessage[]): Promise<boolean>
  /**
   * Adds a row whose FromID its submitter chose, and lets {@link sentWithChosen} find it until `expiresAt`; nothing is
   * added where a message of the account has that FromID, or another Send the id.
   */
  addWithChosen(row: QueuedMessage, expiresAt: Instant): Promise<'added' | 'FromID used' | 'id taken'>
  /** The message of the account that was sent with that FromID, which its submitter chose; case does not count. */
  sentWithChosen(account: string, fromId: string): Promise<RowId | undefined>
  /**
   * Lets {@link sentUnder} find a Send by its Message-ID until `expiresAt`; of several with one id, the newest.
   */
  noteMessageId(sent: SentMessageId, expiresAt: Instant): Promise<void>
  /** The Send of that Message-ID, if one was noted. */
  sentUnder(account: string, messageId: string): Promise<SentMessageId | undefined>
  /** Decides about a Send unless that was done before; answers what was decided first. */
  decide(base: RowId, decision: Decision, expiresAt: Instant): Promise<Decision>
  /** Undefined while nothing is decided. */
  decision(base: RowId): Promise<Decision | undefined>
  /** Keeps what was decided until `expiresAt`, if it would be forgotten earlier. */
  keepDecision(base: RowId, expiresAt: Instant): Promise<void>
  /** Removes a row that was never attempted. */
  removeUnattempted(row: QueuedMessage): Promise<void>
  /**
   * Ends a claimed attempt, with all its effects, in one transaction. `late`: the claim was no longer ours; the
   * result is kept in the row's history, and nothing else happened.
   */
  settle(
    row: QueuedMessage,
    settlement: Settlement<DeliveryResult>,
    effects: Effects,
  ): Promise<Settled | { readonly kind: 'late' }>
  /**
   * Ends an attempt as the next hop tells, which has the row, or whose worker has not told; with all its effects, in
   * one transaction. Undefined when the row is no longer as it was read.
   */
  settleTold(
    row: QueuedMessage,
    settlement: Settlement<DeliveryResult>,
    effects: Effects,
  ): Promise<Settled | undefined>
  /**
   * Ends a row that nobody works on, by an operator's decree named `by`, with all its effects, in one transaction.
   * Undefined when the row is no longer as it was read; a decree that was carried out already is so again.
   */
  cancel(
    row: QueuedMessage,
    settlement: Settlement<DeliveryResult>,
    effects: Effects,
    by: RowId,
  ): Promise<Settled | undefined>
}
