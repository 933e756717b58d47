import type { Instant } from '../base/clock.ts'

/** RFC 4865: when the submitter wants the message released, and how the wish was put, `until;<time>` or `for;<seconds>`. */
export interface FutureRelease {
  readonly at: Instant
  readonly request: string
}
