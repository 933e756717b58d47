import { type Instant, MINUTE } from '../base/clock.ts'
import { stripComments } from './structured-field.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 5322 §3.3 in UTC, without the day of the week: `4 Nov 2026 12:34:56 +0000`. */
export function formatDateTime(at: Instant): string {
  const iso = new Date(at).toISOString()
  const month = MONTHS[Number(iso.slice(5, 7)) - 1]
  return `${Number(iso.slice(8, 10))} ${month} ${iso.slice(0, 4)} ${iso.slice(11, 19)} +0000`
}

const DATE = /^(?:[a-z]+\s*,?\s*)?(\d{1,2})\s+([a-z]{3})[a-z]*\s+(\d{2,4})\s+/
const TIME = /(\d{1,2})\s*:\s*(\d{2})(?:\s*:\s*(\d{2}))?(?:\s*([+-]\d{4}|[a-z]+))?/
const DATE_TIME = new RegExp(`${DATE.source}${TIME.source}`, 'i')

/** Reads also the obsolete forms of RFC 5322 §4.3; undefined for what is no date. An unknown zone is UTC. */
export function parseDateTime(text: string): Instant | undefined {
  const match = DATE_TIME.exec(stripComments(text.slice(0, 500)).trim())
  if (match === null) return undefined
  const [, day, monthName = '', year = '', hour, minute, second = '0', zone = ''] = match
  const month = MONTHS.findIndex((name) => name.toLowerCase() === monthName.toLowerCase())
  const time = [Number(hour), Number(minute), Number(second)] as const
  // 60 is a leap second; Date counts it as the next minute.
  if (month < 0 || time[0] > 23 || time[1] > 59 || time[2] > 60) return undefined
  const at = Date.UTC(fullYear(year), month, Number(day), ...time)
  const isRealDay = new Date(Date.UTC(fullYear(year), month, Number(day))).getUTCDate() === Number(day)
  return isRealDay ? at - offsetMinutes(zone) * MINUTE : undefined
}

function fullYear(year: string): number {
  const number = Number(year)
  if (year.length === 4) return number
  return year.length === 2 && number < 50 ? 2000 + number : 1900 + number
}

const HOURS_OF_ZONE: Readonly<Record<string, number>> = {
  EDT: -4,
  EST: -5,
  CDT: -5,
  CST: -6,
  MDT: -6,
  MST: -7,
  PDT: -7,
  PST: -8,
}

function offsetMinutes(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2})(\d{2})$/.exec(zone) ?? []
  if (sign === undefined) return (HOURS_OF_ZONE[zone.toUpperCase()] ?? 0) * 60
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
}
