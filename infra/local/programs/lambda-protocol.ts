/** What a Lambda environment's worker thread is started with. */
export interface WorkerSetup {
  /** The deployed module. */
  readonly file: string
  readonly exportName: string
  /** The function's Handler property, for error texts. */
  readonly handler: string
  readonly functionName: string
  readonly functionArn: string
  readonly timeoutMs: number
  readonly memoryMb: number
}

/** What the worker thread gets: its function, and the local clock's offset where time may be moved. */
export interface WorkerStart {
  readonly setup: WorkerSetup
  readonly clock: SharedArrayBuffer | undefined
}

/** One event for the worker, as JSON: what cannot go through JSON does not reach a function on AWS either. */
export interface WorkerCall {
  readonly requestId: string
  readonly payload: string
}

/** What the worker says: `ready` once, or `failed` when its module does not load; then one answer per event. */
export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'failed'; readonly failure: FunctionFailure }

/** How Lambda reports a failed invocation to the caller. */
export interface FunctionFailure {
  readonly errorType: string
  readonly errorMessage: string
  readonly trace: readonly string[]
}

/** A failed invocation as an error, with Lambda's error type and text. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError'
  readonly errorType: string
  readonly trace: readonly string[]

  constructor({ errorType, errorMessage, trace }: FunctionFailure) {
    super(errorMessage)
    this.errorType = errorType
    this.trace = trace
  }
}
