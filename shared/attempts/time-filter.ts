import { type Instant, parseInstant } from '../base/clock.ts'
import { parseDuration } from '../base/duration.ts'

/** Instants before, or after, another one. */
export interface TimeFilter {
  readonly side: 'before' | 'after'
  readonly at: Instant
}

const NANOSECONDS = 1_000_000
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/**
 * Reads `<` (before) or `>` (after) and a time: `now`, a duration from now as Go writes it (`<-1h` is more than
 * an hour ago), or RFC 3339. Undefined for anything else.
 */
export function parseTimeFilter(text: string, now: Instant): TimeFilter | undefined {
  const [, sign, rest = ''] = /^\s*([<>])\s*(\S+)\s*$/.exec(text) ?? []
  const at = sign === undefined ? undefined : parseTime(rest, now)
  return at === undefined ? undefined : { side: sign === '<' ? 'before' : 'after', at }
}

/** Says whether the instant lies on that side; without a filter all do. */
export function isWithin(filter: TimeFilter | undefined, at: Instant): boolean {
  if (!filter) return true
  return filter.side === 'before' ? at < filter.at : at > filter.at
}

/** Reads `now`, a duration from now, or RFC 3339. */
export function parseTime(text: string, now: Instant): Instant | undefined {
  if (text === 'now') return now
  if (RFC3339.test(text)) return Number.isNaN(Date.parse(text)) ? undefined : parseInstant(text)
  const nanoseconds = parseDuration(text)
  return nanoseconds === undefined ? undefined : now + nanoseconds / NANOSECONDS
}
