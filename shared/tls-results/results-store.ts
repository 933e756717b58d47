import type { DayResults } from './day-results.ts'

/** Port: what TLS came to, by UTC day, recipient domain and policy domain; kept for 14 days. */
export interface ResultsStore {
  /** Adds to what is there of the same row; a second time under the same id, nothing. */
  add(results: DayResults, id: string): Promise<void>
  /** The rows of a day, by recipient domain; all, or those of one recipient domain. */
  list(day: string, recipientDomain: string | undefined, limit: number): Promise<readonly DayResults[]>
}
