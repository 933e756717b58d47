import { decodeCharset } from './charset.ts'
import { decodePart, type MimePart } from './mime-tree.ts'

/** What people read of a message; lines end in LF; empty where the message has no such part. */
export interface TextBodies {
  readonly text: string
  readonly html: string
}

/** Octets of UTF-8 that are kept of each. */
const MAX_TEXT = 1_048_576

/** The first text/plain and text/html of a message, whatever their disposition; charsets become Unicode. */
export function readTextBodies(bytes: Uint8Array, tree: MimePart): TextBodies {
  const found =
    tree.parts.length === 0 ? { text: ifType(tree, TEXT), html: ifType(tree, HTML) } : findBodies(tree)
  return { text: readText(bytes, found?.text), html: readText(bytes, found?.html) }
}

interface FoundBodies {
  readonly text: MimePart | undefined
  readonly html: MimePart | undefined
}

const TEXT = 'text/plain'
const HTML = 'text/html'

/** Direct children first, then depth first; only an alternative has both of the same (RFC 2046 §5.1.4). */
function findBodies(multipart: MimePart): FoundBodies | undefined {
  const { parts } = multipart
  const readable = parts.filter(({ contentType }) => contentType === TEXT || contentType === HTML)
  const [first] = readable
  if (first !== undefined) {
    const chosen = multipart.contentType === 'multipart/alternative' ? readable : [first]
    return {
      text: chosen.find((part) => part.contentType === TEXT),
      html: chosen.find((part) => part.contentType === HTML),
    }
  }
  for (const part of parts) {
    const found = findBodies(part)
    if (found !== undefined) return found
  }
  return undefined
}

function ifType(part: MimePart, contentType: string): MimePart | undefined {
  return part.contentType === contentType ? part : undefined
}

function readText(bytes: Uint8Array, part: MimePart | undefined): string {
  if (part === undefined) return ''
  const text = decodeCharset(decodePart(bytes, part), part.contentTypeParams.charset ?? '')
  return cutOctets(text.replaceAll('\r\n', '\n'), MAX_TEXT)
}

/** Cuts before the character that would not fit. */
function cutOctets(text: string, limit: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(limit))
  return text.slice(0, read)
}
