import { InvalidArgumentError } from 'commander'
import { parseDuration as parseSigned } from '../../shared/base/duration.ts'

/** Reads a duration as Go writes it, without sign (`72h`, `1h30m`, `0`), in nanoseconds; throws InvalidArgumentError. */
export function parseDuration(text: string): number {
  const nanoseconds = /^\s*[+-]/.test(text) ? undefined : parseSigned(text)
  if (nanoseconds === undefined) throw new InvalidArgumentError('Durations look like 72h, 1h30m or 0.')
  return nanoseconds
}

/** Writes nanoseconds in hours, minutes and seconds, without the parts that are zero: `72h`, `1h30m`, `0`. */
export function formatDuration(nanoseconds: number): string {
  const hours = Math.floor(nanoseconds / 3600e9)
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9)
  const seconds = (nanoseconds % 60e9) / 1e9
  const text = `${hours ? `${hours}h` : ''}${minutes ? `${minutes}m` : ''}${seconds ? `${seconds}s` : ''}`
  return text === '' ? '0' : text
}
