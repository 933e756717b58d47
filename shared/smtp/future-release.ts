import { DAY, type Instant, SECOND } from '../base/clock.ts'
import { badParameter } from './parameters.ts'
import type { Refusal } from './refusal.ts'

/** RFC 4865: when the submitter wants the message released, and how the wish was put, `until;<time>` or `for;<seconds>`. */
export interface FutureRelease {
  readonly at: Instant
  readonly request: string
}

/** How far ahead a release may lie (RFC 4865 §3); EHLO says so. */
export const FURTHEST_RELEASE_MS = 60 * DAY

const NOT_THEN: Refusal = {
  code: 554,
  enhancedCode: '5.5.4',
  text: 'the time of release must lie ahead, by 60 days at most',
}

/** The value of HOLDFOR: seconds from now. */
export function parseHoldFor(value: string | undefined, now: Instant): FutureRelease | Refusal {
  if (value === undefined || !/^[1-9]\d{0,8}$/.test(value)) {
    return badParameter('HOLDFOR must be 1 to 9 digits, more than zero')
  }
  return within(now, { at: now + Number(value) * SECOND, request: `for;${value}` })
}

/** The value of HOLDUNTIL: a time of RFC 3339 in UTC. */
export function parseHoldUntil(value: string | undefined, now: Instant): FutureRelease | Refusal {
  const [seconds] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=(?:\.\d{1,9})?Z$)/.exec(value ?? '') ?? []
  const at = value === undefined || seconds === undefined ? Number.NaN : Date.parse(value)
  // Date.parse takes the 30th of February for a day in March.
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(seconds ?? '')) {
    return badParameter('HOLDUNTIL must be a time like 2026-01-31T12:00:00Z')
  }
  return within(now, { at, request: `until;${value}` })
}

function within(now: Instant, release: FutureRelease): FutureRelease | Refusal {
  return release.at <= now || release.at > now + FURTHEST_RELEASE_MS ? NOT_THEN : release
}
