import { decodeWords } from './decode-words.ts'
import { firstValue, type HeaderField } from './header-section.ts'
import { parseParameterized } from './structured-field.ts'

/** What the header fields of a message or part say about its content. */
export interface PartFields {
  /** `type/subtype`, lower case; the default where the field is missing or malformed (RFC 2045 §5.2). */
  readonly contentType: string
  /** Keys in lower case, values as written. */
  readonly contentTypeParams: Readonly<Record<string, string>>
  /** As written, mostly with angle brackets; empty if missing. */
  readonly contentId: string
  /** Lower-case word, empty if missing. */
  readonly contentDisposition: string
  readonly filename: string
  /** Lower case; `7bit` if missing. */
  readonly transferEncoding: string
}

const TOKEN = "[!#$%&'*+.^_`{|}~0-9A-Za-z-]+"
const MEDIA_TYPE = new RegExp(`^(${TOKEN})\\s*/\\s*(${TOKEN})`)
const WORD = new RegExp(`^${TOKEN}`)

/** Reads the Content fields of a part; of a repeated field the first counts. */
export function readPartFields(fields: readonly HeaderField[], defaultType: string): PartFields {
  const type = parseParameterized(firstValue(fields, 'content-type') ?? '')
  const disposition = parseParameterized(firstValue(fields, 'content-disposition') ?? '')
  const encoding = parseParameterized(firstValue(fields, 'content-transfer-encoding') ?? '')
  return {
    contentType: readMediaType(type.value, defaultType),
    contentTypeParams: type.params,
    contentId: (firstValue(fields, 'content-id') ?? '').slice(0, 1000),
    contentDisposition: readWord(disposition.value),
    filename: decodeFilename(disposition.params.filename ?? type.params.name ?? ''),
    transferEncoding: readWord(encoding.value) || '7bit',
  }
}

function readMediaType(value: string, defaultType: string): string {
  const [, type, subtype] = MEDIA_TYPE.exec(value) ?? []
  return type === undefined || subtype === undefined ? defaultType : `${type}/${subtype}`.toLowerCase()
}

function readWord(value: string): string {
  return (WORD.exec(value)?.[0] ?? '').toLowerCase()
}

/** RFC 2047 §5 forbids encoded words in parameters, and many write them. */
function decodeFilename(filename: string): string {
  if (!filename.startsWith('=?') && !filename.endsWith('?=')) return filename
  try {
    return decodeWords(filename)
  } catch {
    return filename
  }
}
