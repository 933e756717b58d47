import { decodeCharset } from './charset.ts'
import { decodeBase64 } from './transfer-encoding.ts'

/** RFC 2047 §2; the charset may carry a language (RFC 2231 §5), and bad mailers leave spaces in the text. */
const ENCODED_WORD = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([QqBb])\?([^?]*)\?=/g

/**
 * Text with its encoded words (RFC 2047) decoded. White space between two of them does not count (§6.2), and
 * neighbours of one charset are decoded together: a character may be cut between them, though §5 forbids it.
 */
export function decodeWords(text: string): string {
  let decoded = ''
  let end = 0
  let pending: { readonly charset: string; readonly bytes: Uint8Array } | undefined
  const flush = () => {
    if (pending) decoded += decodeCharset(pending.bytes, pending.charset)
    pending = undefined
  }
  for (const match of text.matchAll(ENCODED_WORD)) {
    const [word, charset = '', encoding = '', payload = ''] = match
    const between = text.slice(end, match.index)
    const bytes = encoding.toUpperCase() === 'B' ? decodeBase64(Buffer.from(payload)) : decodeQ(payload)
    const isNeighbour = end > 0 && /^\s*$/.test(between)
    if (!isNeighbour || pending?.charset.toLowerCase() !== charset.toLowerCase()) flush()
    if (!isNeighbour) decoded += between
    pending = { charset, bytes: pending ? Buffer.concat([pending.bytes, bytes]) : bytes }
    end = match.index + word.length
  }
  flush()
  return decoded + text.slice(end)
}

/** The Q encoding (RFC 2047 §4.2); an `=` that encodes nothing stays. */
function decodeQ(payload: string): Uint8Array {
  const octets = payload
    .replace(/_/g, ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  // Raw text beyond Latin-1 between the question marks is no encoding at all, but it is UTF-8.
  return /[^\x00-\xff]/.test(octets) ? Buffer.from(octets) : Buffer.from(octets, 'latin1')
}
