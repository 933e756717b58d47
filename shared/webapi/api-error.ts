/** Every code that a failed call can carry; clients compare them. */
export type ApiErrorCode =
  | 'protocol'
  | 'user'
  | 'server'
  | 'error'
  | 'badAddress'
  | 'missingBody'
  | 'multipleFrom'
  | 'badFrom'
  | 'domainDisabled'
  | 'noRecipients'
  | 'messageTooLarge'
  | 'messageLimitReached'
  | 'recipientLimitReached'
  | 'sentOverQuota'
  | 'malformedMessageID'
  | 'messageNotFound'
  | 'partNotFound'

/** A call that cannot be done: HTTP status 400 with this code and public text. Nothing was changed. */
export class ApiError extends Error {
  readonly code: ApiErrorCode
  /** Before then the same call would fail again. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: ApiErrorCode, message: string, retryAfterSeconds?: number) {
    super(message)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}
