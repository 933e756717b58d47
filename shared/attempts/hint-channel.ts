import type { RowId } from '../base/row-id.ts'

/** "Attempt `attempt` of this row may be due." Harmless when it is lost, late, doubled or wrong. */
export interface Hint {
  readonly account: string
  readonly id: RowId
  readonly attempt: number
}

/** A hint to be delivered after some milliseconds; channels that cannot delay drop it, and the sweep stands in. */
export interface DelayedHint extends Hint {
  readonly delayMs?: number
  /** Hints of one group are handled one after the other, where the channel can do that. */
  readonly group?: string
  /** Which kind of worker it is for, where there are several; `function` where it is left out. */
  readonly lane?: Lane
}

/** Workers: functions, and the process that delivers directly. */
export type Lane = 'function' | 'direct'

/** The longest delay of a hint; what is due later is found by the sweep. */
export const LONGEST_DELAY_MS = 900_000

/** Port: wakes a worker. Never the truth: losing every hint costs time and nothing else. */
export interface HintChannel {
  /** Sends what it can and never throws for a hint it could not send: the sweep will. */
  send(hints: readonly DelayedHint[]): Promise<void>
  /** About how many hints wait. */
  depth(): Promise<number>
}

/** The wire form of a hint. */
export function formatHint({ account, id, attempt }: Hint): string {
  return JSON.stringify({ account, id, attempt })
}

/** The inverse of {@link formatHint}; throws SyntaxError for anything else, which ends in the dead-letter queue. */
export function parseHint(text: string): Hint {
  const value: unknown = JSON.parse(text)
  if (
    typeof value === 'object' &&
    value !== null &&
    'account' in value &&
    'id' in value &&
    'attempt' in value
  ) {
    const { account, id, attempt } = value
    if (typeof account === 'string' && Number.isSafeInteger(id) && Number.isSafeInteger(attempt)) {
      return { account, id: id as RowId, attempt: attempt as number }
    }
  }
  throw new SyntaxError('a hint needs account, id and attempt')
}
