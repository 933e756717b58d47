/** A point in time: milliseconds since 1970-01-01T00:00:00Z. Names of instants end in `At`. */
export type Instant = number

/** Where time comes from. Rooms never ask the operating system: tests and the moved local clock decide. */
export interface Clock {
  now(): Instant
}

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** RFC 3339 in UTC with milliseconds, always 24 characters, so that texts sort as the instants do. */
export function formatInstant(instant: Instant): string {
  return new Date(instant).toISOString()
}

/** The inverse of {@link formatInstant}; throws RangeError for anything that is not a date. */
export function parseInstant(text: string): Instant {
  const instant = Date.parse(text)
  if (Number.isNaN(instant)) throw new RangeError(`not an RFC 3339 time: ${JSON.stringify(text)}`)
  return instant
}
