import { type Instant, MINUTE } from '../base/clock.ts'
import type { WebhookCall } from './webhook-call.ts'

/** Calls to one URL are made one after the other: more hints than a minute's worth of calls only pile up. */
const MOST_IN_MINUTE = 500
/** Of a URL that no call has been made to yet. */
const USUAL_CALL_MS = 200
const LONGEST_PUT_OFF_MINUTES = 15

/** Calls to be hinted now, and those for which the minutes after are early enough. */
interface Spread {
  readonly now: readonly WebhookCall[]
  readonly later: readonly { readonly row: WebhookCall; readonly at: Instant }[]
}

/**
 * Of the due calls to each URL takes as many as can be made within a minute, by how long the last ones took, and puts
 * the others off for as long as those before them take: a URL that hangs has few hints, and leaves room for others.
 */
export function spreadByUrl(due: readonly WebhookCall[], now: Instant): Spread {
  const byUrl = Object.values(Object.groupBy(due, ({ url }) => url)).map((rows = []) => ({
    rows,
    inMinute: callsInMinute(rows),
  }))
  return {
    now: byUrl.flatMap(({ rows, inMinute }) => rows.slice(0, inMinute)),
    later: byUrl.flatMap(({ rows, inMinute }) =>
      rows.slice(inMinute).map((row, place) => {
        const minutes = Math.min(LONGEST_PUT_OFF_MINUTES, 1 + Math.floor(place / inMinute))
        return { row, at: now + minutes * MINUTE }
      }),
    ),
  }
}

function callsInMinute(rows: readonly WebhookCall[]): number {
  const last = rows.flatMap(({ results }) => results.slice(-1).map(({ durationMs }) => durationMs))
  const usualMs = last.length === 0 ? USUAL_CALL_MS : last.reduce((sum, ms) => sum + ms, 0) / last.length
  return Math.min(MOST_IN_MINUTE, Math.max(1, Math.floor(MINUTE / Math.max(1, usualMs))))
}
