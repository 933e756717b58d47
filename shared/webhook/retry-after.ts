import { HOUR, type Instant, SECOND } from '../base/clock.ts'

/** The longest wait of the schedule. */
const LONGEST_WAIT_MS = 16 * HOUR
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * When a receiver wants to be called again (RFC 9110 §10.2.3), at most 16 hours from now; undefined for what is
 * neither a number of seconds nor a date.
 */
export function retryAfterAt(text: string | undefined, now: Instant): Instant | undefined {
  const at = readRetryAfter(text?.trim() ?? '', now)
  return at === undefined || Number.isNaN(at) ? undefined : Math.min(at, now + LONGEST_WAIT_MS)
}

function readRetryAfter(text: string, now: Instant): Instant | undefined {
  if (/^\d{1,9}$/.test(text)) return now + Number(text) * SECOND
  return IMF_FIXDATE.test(text) ? Date.parse(text) : undefined
}
