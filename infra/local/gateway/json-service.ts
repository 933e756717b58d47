/** A JSON document of an AWS JSON protocol, decoded. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A stand-in that speaks an AWS JSON protocol: the gateway decodes, checks who may call, and calls it. */
export interface JsonService {
  /** Runs one operation, named as AWS names it (`SendMessage`); throws {@link ServiceError} as AWS would answer. */
  call(operation: string, input: JsonObject): Promise<JsonObject>
  close(): void
}

/** A refusal in AWS's own words: its error code, text and HTTP status. */
export class ServiceError extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}
