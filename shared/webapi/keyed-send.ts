import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'

/** A Send under an Idempotency-Key, from the moment when all of it was checked and composed. */
export interface KeyedSend {
  /** Names the call that works on it. */
  readonly holder: string
  /** Until then another call must not take it over; 0 when nobody works on it. */
  readonly heldUntil: Instant
  /** SHA-256 of what was asked for. */
  readonly requestHash: string
  /** Under which the message is accepted; nothing may be written under another. */
  readonly base: RowId
  readonly messageId: string
  /** The composed message, which a later call would compose with another date. */
  readonly message: {
    readonly hash: string
    readonly has8bit: boolean
    readonly smtputf8: boolean
    readonly traceOctets: number
  }
  /** What was answered; absent until the message is accepted. */
  readonly answer?: object
  readonly expiresAt: Instant
}

/** Names a Send: keys of two accounts have nothing to do with each other. */
export interface SendKey {
  readonly account: string
  readonly key: string
}

/** Port: Sends by Idempotency-Key. */
export interface KeyedSendStore {
  /** Undefined when the key is free, or what it names has expired. */
  find(key: SendKey): Promise<KeyedSend | undefined>
  /** Writes `after` if the key still names `before`, by its holder (undefined: if the key is free); else false. */
  replace(key: SendKey, before: KeyedSend | undefined, after: KeyedSend): Promise<boolean>
  /** Frees the key, if it still names `before`. */
  remove(key: SendKey, before: KeyedSend): Promise<void>
}
