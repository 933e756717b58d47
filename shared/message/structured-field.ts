import { decodeCharset } from './charset.ts'

/** A field body of the form `value; name=value` (RFC 2045 §5.1, RFC 2183). */
export interface ParameterizedValue {
  /** As written, without comments. */
  readonly value: string
  /** Keys in lower case, values as written; continuations and charsets decoded (RFC 2231). */
  readonly params: Readonly<Record<string, string>>
}

/** What lies beyond is cut off: no honest field is as long, and the parts of a hostile message add up. */
const MAX_FIELD = 8192

const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?[^;]*|([^;]*))/gs
const SECTION = /^([^*]+)(?:\*(\d{1,4}))?(\*?)$/

/** Reads whatever can be read, never throws. Of parameters with the same name the first counts. */
export function parseParameterized(body: string): ParameterizedValue {
  const text = stripComments(body.slice(0, MAX_FIELD))
  const [value = ''] = text.split(';', 1)
  const plain = new Map<string, string>()
  const continued = new Map<string, Section[]>()
  for (const section of readSections(text)) {
    const { key } = section
    if (section.number !== undefined || section.isEncoded) {
      continued.set(key, [...(continued.get(key) ?? []), section])
    } else if (!plain.has(key)) {
      plain.set(key, section.text)
    }
  }
  const decoded = [...continued].map(([key, sections]) => [key, joinSections(sections)] as const)
  // The plain form is the fallback for readers that know no RFC 2231.
  return { value: value.trim(), params: Object.fromEntries([...plain, ...decoded]) }
}

/** The text without its comments (RFC 5322 §3.2.2), which may nest; quoted strings stay as they are. */
export function stripComments(text: string): string {
  const kept: string[] = []
  let depth = 0
  let isQuoted = false
  for (const [token] of text.matchAll(/\\.|./gs)) {
    if (isQuoted) {
      isQuoted = token !== '"'
    } else if (token === '(') {
      depth += 1
    } else if (depth === 0) {
      isQuoted = token === '"'
    }
    if (depth === 0) kept.push(token)
    if (token === ')' && !isQuoted && depth > 0) depth -= 1
  }
  return kept.join('')
}

/** A parameter, or a piece of one (RFC 2231 §3). */
interface Section {
  readonly key: string
  readonly number: number | undefined
  /** Percent-encoded (RFC 2231 §4). */
  readonly isEncoded: boolean
  readonly text: string
}

const MAX_PARAMETERS = 500

function readSections(text: string): readonly Section[] {
  return (
    [...text.matchAll(PARAMETER)]
      .slice(0, MAX_PARAMETERS)
      .map(([, name = '', quoted, bare = '']) => {
        const [, key = '', number, star] = SECTION.exec(name.toLowerCase()) ?? []
        return {
          key,
          number: number === undefined ? undefined : Number(number),
          isEncoded: star === '*',
          text: quoted === undefined ? bare.trim() : quoted.replace(/\\(.)/gs, '$1'),
        }
      })
      // As the key of an object `__proto__` would be lost, or worse, wherever it is copied by assignment.
      .filter(({ key }) => key !== '' && key !== '__proto__')
  )
}

/** Pieces in their order, percent-encoded or literal, the charset before the first (RFC 2231 §4.1). */
function joinSections(sections: readonly Section[]): string {
  const ordered = sections.toSorted((a, b) => (a.number ?? 0) - (b.number ?? 0))
  const charset = ordered[0]?.isEncoded ? /^([^']*)'[^']*'/.exec(ordered[0].text) : null
  const bytes = ordered.map((section, index) => {
    const text = index === 0 && charset !== null ? section.text.slice(charset[0].length) : section.text
    return section.isEncoded ? decodePercent(text) : Buffer.from(text)
  })
  return decodeCharset(Buffer.concat(bytes), charset?.[1] ?? '')
}

function decodePercent(text: string): Buffer {
  const octets = Buffer.from(text).toString('latin1')
  const decoded = octets.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(decoded, 'latin1')
}
