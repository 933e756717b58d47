/** Every code that a failed call can carry; clients compare them. */
export type ApiErrorCode =
  | 'protocol'
  | 'user'
  | 'server'
  | 'badAddress'
  | 'missingBody'
  | 'multipleFrom'
  | 'badFrom'
  | 'domainDisabled'
  | 'noRecipients'
  | 'messageTooLarge'
  | 'malformedMessageID'
  | 'messageNotFound'
  | 'partNotFound'

/** A call that cannot be done: HTTP status 400 with this code and public text. Nothing was changed. */
export class ApiError extends Error {
  readonly code: ApiErrorCode

  constructor(code: ApiErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
