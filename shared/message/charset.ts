import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'

/**
 * Text of bytes in a charset as mail names it. Never throws: an unknown charset, and US-ASCII that is not, are
 * read as UTF-8 where the bytes allow it, else as windows-1252; undecodable bytes become U+FFFD.
 */
export function decodeCharset(bytes: Uint8Array, charset: string): string {
  const decoder = findDecoder(charset) ?? new TextDecoder(isUtf8(bytes) ? 'utf-8' : 'windows-1252')
  return decoder.decode(bytes)
}

function findDecoder(charset: string): TextDecoder | undefined {
  // Mail without a charset, or with this one, is mostly UTF-8 in truth.
  if (charset === '' || /^(us-)?ascii$/i.test(charset)) return undefined
  try {
    return new TextDecoder(charset)
  } catch {
    return undefined
  }
}
