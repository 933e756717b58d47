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

/** Reads a duration as Go writes it (`72h`, `-1h30m`, `1.5h`, `0`), in nanoseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const normalized = text.trim().normalize('NFKC').replaceAll('μ', 'µ')
  const [, sign = '', digits = ''] = /^([+-]?)(.+)$/.exec(normalized) ?? []
  if (digits === '0') return 0
  const parts = [...digits.matchAll(PART)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== digits) return undefined
  const sum = parts.reduce((total, [, count, unit]) => total + Number(count) * (units[unit ?? ''] ?? 0), 0)
  return Math.round(sign === '-' ? -sum : sum)
}
