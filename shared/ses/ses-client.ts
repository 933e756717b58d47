/** One message to one recipient, as SendEmail takes it. */
export interface SesEmail {
  /** An address of an identity that SES has verified; SES makes the reverse-path itself. */
  readonly from: string
  readonly to: string
  /** The message with its header section (RFC 5322). */
  readonly content: Uint8Array
  /** Come back with every event; names and values of letters, digits, `_` and `-`. */
  readonly tags: Readonly<Record<string, string>>
}

/** What came of a call; see "SendEmail" and "Common errors" in the SES API v2 reference. */
export type SesAnswer =
  | { readonly kind: 'taken'; readonly messageId: string }
  /** `name` is that of the exception. */
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly name: string
      readonly message: string
    }
  /** SES has seen nothing of it. */
  | { readonly kind: 'unreached'; readonly error: string }
  /** The call broke off when SES may have taken it. */
  | { readonly kind: 'unknown'; readonly error: string }

/** What SES grants the account (GetAccount). */
export interface SesQuota {
  /** False while the account is paused. */
  readonly maySend: boolean
  /** Messages a second. */
  readonly maxSendRate: number
  /** Messages within 24 hours; -1 is without limit. */
  readonly max24HourSend: number
  readonly sentLast24Hours: number
}

/** Port: SES. Never repeats a call by itself: SES cannot tell a repetition, and would send twice. */
export interface SesClient {
  send(email: SesEmail): Promise<SesAnswer>
  /** Throws when SES does not say. */
  quota(): Promise<SesQuota>
}
