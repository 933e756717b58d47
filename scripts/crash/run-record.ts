/** One Send of a client. Every recipient has a different address. */
export interface SendRecord {
  readonly messageId: string
  /** In lower case. */
  readonly recipients: readonly string[]
  /** The ids by which Postern took it, in the order of the recipients; undefined when nobody heard that it was taken. */
  readonly queueMsgIds: readonly number[] | undefined
}

/** One call that the webhook receiver answered. */
export interface Receipt {
  readonly receivedAt: number
  /** X-Mox-Webhook-ID: the row of the call. */
  readonly webhookId: number
  /** X-Mox-Webhook-Attempt. */
  readonly attempt: number
  readonly messageId: string
  /** `delivered`, `delayed` or `failed`; `incoming` for a received mail. */
  readonly event: string
  /** The queued message that an outgoing event is about; 0 for incoming. */
  readonly queueMsgId: number
  /** The mail that an incoming call is about; 0 for outgoing events. */
  readonly msgId: number
}

/** A moment at which everything was killed. */
export interface Crash {
  readonly number: number
  /** Just before the signal was sent. */
  readonly killedAt: number
  /** When the process was seen to be gone: whatever began by then, and did not end, died with it. */
  readonly goneAt: number
}

/** A mail as it lies in the mailbox. */
export interface StoredMail {
  readonly id: number
  readonly messageId: string
  readonly rcptTo: string
  readonly receivedAt: number
}
