import { isUtf8 } from 'node:buffer'

/** Octets that are looked at. */
const SNIFFED = 512

/** Beginnings of files, as ISO 8859-1; a dot stands for any octet (WHATWG MIME Sniffing §6 and §7.1). */
const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^%PDF-/, 'application/pdf'],
  [/^\x89PNG\r\n\x1a\n/, 'image/png'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^RIFF....WEBPVP/s, 'image/webp'],
  [/^PK\x03\x04/, 'application/zip'],
  [/^\x1f\x8b\x08/, 'application/gzip'],
]

const HTML_TAGS =
  /^[\t\n\f\r ]*<(?:(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[ >]|!--)/i
const XML = /^[\t\n\f\r ]*<\?xml/
const BYTE_ORDER_MARK = /^(?:\xfe\xff|\xff\xfe|\xef\xbb\xbf)/
/** WHATWG MIME Sniffing §3, "binary data byte". */
const BINARY = /[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/

/** The media type of a file whose sender named none; text gets a charset only where it is certain. */
export function sniffContentType(data: Uint8Array): string {
  const start = Buffer.from(data.subarray(0, SNIFFED)).toString('latin1')
  const signature = SIGNATURES.find(([pattern]) => pattern.test(start))
  if (signature !== undefined) return signature[1]
  const isMarked = BYTE_ORDER_MARK.test(start)
  if (!isMarked && BINARY.test(start)) return 'application/octet-stream'
  const charset = isUtf8(data) ? '; charset=utf-8' : ''
  if (HTML_TAGS.test(start)) return `text/html${charset}`
  return `${XML.test(start) ? 'text/xml' : 'text/plain'}${charset}`
}
