import type { AddressDirectory } from '../account/address-directory.ts'
import type { Log } from '../base/log.ts'
import type { DailyLimitPorts } from '../limits/daily-limits.ts'
import type { SubmitPorts } from '../queue/submit.ts'

/** What submission needs of the world. */
export interface SubmissionPorts extends SubmitPorts, DailyLimitPorts {
  readonly directory: AddressDirectory
  /** What the keys of FromIDs are made of. */
  readonly fromIdSecret: () => Promise<string>
  /** Resolves after that time, or early when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>
  readonly log: Log
}
