/** A message cannot be written with what the caller gave; the text may be shown to the caller. */
export class MessageSyntaxError extends Error {
  override readonly name = 'MessageSyntaxError'
  /** The field of the request, such as `Headers[2][1]` or `AttachedFiles[0].ContentType`. */
  readonly field: string

  constructor(field: string, problem: string) {
    super(`${field} ${problem}`)
    this.field = field
  }
}
