import { InvalidArgumentError } from 'commander'

/** Nanoseconds in each of Go's units. */
const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g

/** Reads a duration as Go writes it (`72h`, `1h30m`, `1.5h`, `0`), in nanoseconds; throws InvalidArgumentError. */
export function parseDuration(text: string): number {
  const normalized = text.trim().normalize('NFKC').replaceAll('μ', 'µ')
  if (normalized === '0') return 0
  const parts = [...normalized.matchAll(PART)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== normalized) {
    throw new InvalidArgumentError('Durations look like 72h, 1h30m or 0.')
  }
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0))
}

/** Writes nanoseconds in hours, minutes and seconds, without the parts that are zero: `72h`, `1h30m`, `0`. */
export function formatDuration(nanoseconds: number): string {
  const hours = Math.floor(nanoseconds / 3600e9)
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9)
  const seconds = (nanoseconds % 60e9) / 1e9
  const text = `${hours ? `${hours}h` : ''}${minutes ? `${minutes}m` : ''}${seconds ? `${seconds}s` : ''}`
  return text === '' ? '0' : text
}
