/**
 * Which of AWS's rare behaviours to show. Shares go from 0 to 1; what is left out never happens. Each kind of fault
 * has its own random sequence: the n-th call that it may befall fares the same in every run with the same seed.
 */
export interface FaultOptions {
  readonly seed: number
  /** Share of TransactWriteItems that are canceled for TransactionConflict, with nothing written. */
  readonly transactionConflicts?: number
  /**
   * Share of DynamoDB calls answered ThrottlingException, as tables on demand do; a BatchGetItem of several keys
   * leaves half of them unprocessed instead.
   */
  readonly throttling?: number
  /** Share of DynamoDB writes that are done but answered by a connection reset or InternalServerError. */
  readonly lostResponses?: number
  /** Queries over an index see each write only after up to that time, and until then the item as it was. */
  readonly indexLagMs?: number
  /**
   * Share of eventually consistent GetItem, BatchGetItem and Query (of the table) that see items written within the
   * last two seconds as they were before their last write.
   */
  readonly staleReads?: number
  /** Share of the messages sent to standard queues that come a second time, at least a second later. */
  readonly sqsDuplicates?: number
  /** Messages to standard queues get up to that much delay more, in whole seconds as DelaySeconds has them. */
  readonly sqsLateMs?: number
  /**
   * Share of TransactWriteItems that are acknowledged but not done. AWS never does that: it is here to prove that
   * a harness which looks for lost writes finds them.
   */
  readonly droppedWrites?: number
  /** Only writes of roles whose logical id starts so are dropped. */
  readonly droppedWritesOf?: string
}

/** Throws on a value that makes no sense, naming it. */
export function requireValid({
  seed,
  indexLagMs,
  sqsLateMs,
  droppedWritesOf: _,
  ...shares
}: FaultOptions): void {
  if (!Number.isSafeInteger(seed)) throw new Error('faults: seed must be an integer')
  for (const [name, timeMs = 0] of Object.entries({ indexLagMs, sqsLateMs })) {
    if (!(timeMs >= 0)) throw new Error(`faults: ${name} must not be negative`)
  }
  for (const [name, share = 0] of Object.entries(shares)) {
    if (!(share >= 0 && share <= 1)) throw new Error(`faults: ${name} must be from 0 to 1`)
  }
}
