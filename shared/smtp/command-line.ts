import { isUtf8 } from 'node:buffer'
import type { Refusal } from './refusal.ts'

/** A line from a client: its text without CRLF, or why it is none that could be obeyed. */
export type CommandLine =
  | { readonly text: string }
  | { readonly refusal: Refusal /** What follows is not to be read. */; readonly isLast: boolean }

interface LineRead {
  readonly taken: number
  readonly result?: CommandLine
}

/** RFC 5321 §4.5.3.1.4 asks for 512 octets, extensions for more (RFC 3461 §5.4, RFC 6531 §3.4). */
export const LONGEST_LINE = 2048
/** RFC 4954 §4: AUTH and the responses to its challenges. */
export const LONGEST_AUTH_LINE = 12_288

const LF = 0x0a
const CR = 0x0d
/** The content type of a TLS handshake record (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16

/**
 * Takes a line off the front, if all of it is there. A bare LF ends it too, but such a line is refused: what one
 * server reads as two commands and another as one can carry a message past either (RFC 5321 §2.3.8).
 */
export function takeLine(unread: Buffer, longestOther: number): LineRead {
  if (unread[0] === TLS_HANDSHAKE) return refuse(unread.length, 'TLS is not spoken here at this point', true)
  const isAuth = /^auth /i.test(unread.toString('latin1', 0, 5))
  const longest = isAuth ? LONGEST_AUTH_LINE : longestOther
  const lineFeed = unread.indexOf(LF)
  const length = lineFeed === -1 ? unread.length : lineFeed + 1
  if (length > longest) return refuse(unread.length, `a line has at most ${longest} octets`, true)
  if (lineFeed === -1) return { taken: 0 }
  if (unread[lineFeed - 1] !== CR) return refuse(length, 'a line must end in CRLF', false)
  const bytes = unread.subarray(0, lineFeed - 1)
  const text = bytes.toString()
  if (!isUtf8(bytes) || /[\x00-\x1f\x7f]/.test(text)) {
    return refuse(length, 'a command is text without control characters', false)
  }
  return { taken: length, result: { text } }
}

function refuse(taken: number, text: string, isLast: boolean): LineRead {
  return { taken, result: { refusal: { code: 500, enhancedCode: '5.5.2', text }, isLast } }
}
