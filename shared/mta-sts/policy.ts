import { AddressSyntaxError, type DomainName, parseDomainName } from '../address/domain-name.ts'

const MODES = ['none', 'testing', 'enforce'] as const

/** What a domain asks of those who send it mail (RFC 8461 §3.2). */
export interface StsPolicy {
  /** `enforce`: no mail to a host that is not listed or does not prove its name; `testing`: report it only. */
  readonly mode: (typeof MODES)[number]
  /** As published; nothing is kept for longer than {@link MAX_AGE_SECONDS}. */
  readonly maxAgeSeconds: number
  /** The hosts that may take the domain's mail; none only with the mode `none`. */
  readonly mx: readonly MxPattern[]
  /** Fields that we do not know, in their order. */
  readonly extensions: readonly (readonly [name: string, value: string])[]
}

/** A host's name, or `*.` and the name that it has below its first label (RFC 8461 §4.1). */
type MxPattern = DomainName | `*.${DomainName}`

/** What a policy's text says, or which rule it breaks. */
export type ReadPolicy = { readonly policy: StsPolicy } | { readonly problem: string }

/** RFC 8461 §3.2: about a year. */
export const MAX_AGE_SECONDS = 31_557_600

/** Ten digits, as far as programs that count in 32 bits read them. */
const MOST_SECONDS = 2 ** 31 - 1

const FIELD = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*(.*)$/
const ONCE = ['version', 'mode', 'max_age'] as const
const KNOWN: readonly string[] = [...ONCE, 'mx']
/** Visible characters, also beyond ASCII, and spaces between them. */
const VALUE = /^[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$/

/** White space at the end of a line, and of the text: begun once for each run of it, since strangers choose how long. */
const SPACE_BEHIND = /(?<![ \t])[ \t]+$/
const LINES_BEHIND = /(?<![ \t\r\n])[ \t\r\n]+$/

/** Reads a policy; of fields that come twice the first counts, except for mx (RFC 8461 §3.2). */
export function parsePolicy(text: string): ReadPolicy {
  const fields: (readonly [string, string])[] = []
  for (const line of text.replace(LINES_BEHIND, '').split(/\r?\n/)) {
    const [, name, value = ''] = FIELD.exec(line.replace(SPACE_BEHIND, '')) ?? []
    if (name === undefined) return { problem: `the line ${quoted(line)} is no field` }
    if (!VALUE.test(value)) return { problem: `the value of ${name} is empty or not printable` }
    fields.push([name, value])
  }
  return readFields(fields)
}

/** The policy as it is published: one field a line, each with CRLF. */
export function formatPolicy({ mode, maxAgeSeconds, mx, extensions }: StsPolicy): string {
  const fields: readonly (readonly [string, string])[] = [
    ['version', 'STSv1'],
    ['mode', mode],
    ...mx.map((pattern) => ['mx', pattern] as const),
    ['max_age', `${maxAgeSeconds}`],
    ...extensions,
  ]
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

function readFields(fields: readonly (readonly [string, string])[]): ReadPolicy {
  const once = new Map<string, string>()
  for (const [name, value] of fields) if (!once.has(name)) once.set(name, value)
  const missing = ONCE.find((name) => !once.has(name))
  if (missing !== undefined) return { problem: `${missing} is missing` }
  const [version = '', mode = '', maxAge = ''] = ONCE.map((name) => once.get(name))
  if (version !== 'STSv1') return { problem: `version: ${quoted(version)} must be STSv1` }
  const knownMode = MODES.find((each) => each === mode)
  if (knownMode === undefined) return { problem: `mode: ${quoted(mode)} must be one of ${MODES.join(', ')}` }
  if (!/^\d{1,10}$/.test(maxAge) || Number(maxAge) > MOST_SECONDS) {
    return { problem: `max_age: ${quoted(maxAge)} must be a number of seconds up to ${MOST_SECONDS}` }
  }
  const mx = fields
    .filter(([name]) => name === 'mx')
    .map(([, value]) => ({ value, pattern: readPattern(value) }))
  const wrong = mx.find(({ pattern }) => pattern === undefined)
  if (wrong)
    return { problem: `mx: ${quoted(wrong.value)} must be a host name of A-labels, or *. before one` }
  if (mx.length === 0 && knownMode !== 'none') return { problem: `mx is missing, which ${mode} needs` }
  return {
    policy: {
      mode: knownMode,
      maxAgeSeconds: Number(maxAge),
      mx: mx.flatMap(({ pattern }) => pattern ?? []),
      extensions: [...once].filter(([name]) => !KNOWN.includes(name)),
    },
  }
}

function readPattern(text: string): MxPattern | undefined {
  // RFC 8461 §3.2 wants A-labels; parseDomainName would make them of U-labels.
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined
  try {
    return text.startsWith('*.') ? `*.${parseDomainName(text.slice(2))}` : parseDomainName(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
